"""What the control loops of storage are given: the way to the API, shared caches, events, time, and the drivers.

`program/storage.py` makes one. Nothing here reaches a volume itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from skerry.engine.config import EngineConfig
from skerry.engine.storage.contract import Driver
from skerry.kube.client import Client
from skerry.kube.clock import Clock
from skerry.kube.events import Recorder
from skerry.kube.informer import Informers
from skerry.kube.records import record


class KnownDrivers(Protocol):
    """The drivers whose volumes are made and deleted here (`driven`). Other drivers of third parties bring sidecars
    that do it for them, so they are not among these."""

    def get(self, name: str) -> Driver | None:
        """By the name that classes and volumes give."""
        ...

    def names(self) -> Iterable[str]:
        """All of them."""
        ...


@record
class StorageContext:
    """Shared by all control loops of storage."""

    config: EngineConfig
    clock: Clock
    informers: Informers
    recorder: Recorder
    identity: Callable[[str], Client]
    """The client of a service account in kube-system: "storage-provisioner", "snapshot-controller"."""
    drivers: KnownDrivers
