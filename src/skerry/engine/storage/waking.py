"""Starts the control loops of storage when there is a claim, a volume or a snapshot.

Until then they cost a few caches without objects and no import. What is started goes on until the engine ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib import import_module

from skerry.engine.definitions.snapshots import SNAPSHOT_CONTENTS, VOLUME_SNAPSHOTS
from skerry.engine.definitions.storage_pools import STORAGE_POOLS
from skerry.engine.storage.context import StorageContext
from skerry.kube.controller import Controller
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES

_WAKING = (PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, VOLUME_SNAPSHOTS, SNAPSHOT_CONTENTS, STORAGE_POOLS)


class StorageControllers(Controller):
    """There is one key: that there is something to do."""

    name = "storage"
    workers = 1

    def __init__(self, context: StorageContext) -> None:
        super().__init__()
        self._context = context
        self._started: Sequence[Controller] = ()
        for resource in _WAKING:
            self.watch(context.informers.of(resource), lambda obj: () if self._started else ("storage",))

    async def reconcile(self, key: str) -> float | None:
        """Start once, with complete caches."""
        if self._started:
            return None
        await asyncio.to_thread(import_module, "skerry.engine.storage.all")
        await asyncio.to_thread(self._context.drivers.names)  # loads them
        from skerry.engine.storage.all import make_storage_controllers

        made = make_storage_controllers(self._context)
        await self._context.informers.start()
        for controller in made:
            controller.start()
        self._started = made
        return None

    def look_again(self) -> None:
        """A driver came, or changed: for those that are started."""
        for controller in self._started:
            controller.look_again()

    async def close(self) -> None:
        """End what was started, too."""
        await super().close()
        for controller in self._started:
            await controller.close()
