"""What every controller is given: the way to the API, shared caches, events, time, and what this instance is.

`program` makes one `Context` and hands it to `all.make_controllers`. Nothing here reaches a store or a socket itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from skerry.engine.config import EngineConfig
from skerry.kube.client import Client
from skerry.kube.clock import Clock
from skerry.kube.events import Recorder
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj, Resource


@dataclass(frozen=True, slots=True)
class Context:
    """Shared by all controllers of one instance."""

    client: Client
    informers: Informers
    recorder: Recorder
    clock: Clock
    config: EngineConfig
    resources: Callable[[], Iterable[Resource]]
    """Every served resource that can be listed, watched and deleted, as of now; custom ones included."""
    ca_pem: str
    """The certificate authority of the API, published in every namespace as `kube-root-ca.crt`."""
    sign_token: Callable[[Obj, Obj], str]
    """The token of a service account that is kept in a Secret, given both."""
