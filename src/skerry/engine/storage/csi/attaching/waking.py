"""Starts the attaching of volumes when there is a driver of a third party, or something attached. Until then it costs
nothing but two caches that others have too."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib import import_module

from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.registry import DOMAIN, Drivers
from skerry.kube.controller import Controller
from skerry.kube.objects import name_of
from skerry.kube.resources import CSI_DRIVERS, VOLUME_ATTACHMENTS

_KEY = "attaching"


class Attaching(Controller):
    """There is one key: that there is something to do."""

    name = "csi-attaching"
    workers = 1

    def __init__(self, context: StorageContext, drivers: Drivers) -> None:
        super().__init__()
        self._context, self._drivers = context, drivers
        self._started: Sequence[Controller] = ()
        informers = context.informers
        self.watch(informers.of(CSI_DRIVERS), lambda driver: self._wake(name_of(driver)))
        self.watch(informers.of(VOLUME_ATTACHMENTS), lambda _: self._wake())
        drivers.on_change(self._driver_changed)

    def _wake(self, driver: str = "") -> Sequence[str]:
        return () if self._started or driver.endswith(DOMAIN) else (_KEY,)

    def _driver_changed(self, name: str) -> None:
        for key in self._wake(name):
            self.queue.add(key)

    async def reconcile(self, key: str) -> float | None:
        """Start once, with complete caches."""
        if self._started:
            return None
        for module in ("attacher", "controller"):
            await asyncio.to_thread(import_module, f"skerry.engine.storage.csi.attaching.{module}")
        from skerry.engine.storage.csi.attaching.attacher import Attacher
        from skerry.engine.storage.csi.attaching.controller import AttachDetach

        made = (AttachDetach(self._context, self._drivers), Attacher(self._context, self._drivers))
        await self._context.informers.start()
        for controller in made:
            controller.start()
        self._started = made
        return None

    async def close(self) -> None:
        """End what was started, too."""
        self._drivers.off_change(self._driver_changed)
        await super().close()
        for controller in self._started:
            await controller.close()
