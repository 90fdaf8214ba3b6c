"""All control loops that make, delete and expand volumes and take snapshots. `waking` imports this when needed."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.inspection.inspector import Inspector
from skerry.kube.controller import Controller


def make_storage_controllers(context: StorageContext) -> Sequence[Controller]:
    """Every one, connected to its informers, not yet started."""
    return (Inspector(context),)
