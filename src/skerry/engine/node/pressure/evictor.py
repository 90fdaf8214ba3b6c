"""Looks every ten seconds: pods above their limits of local storage go, and under pressure one pod after the other.

Before a pod goes for want of disk, images nobody uses do. Neighbours: `watch` (measures), `ranking` (decides),
`images` (removes images), `pods.manager` (has the pods). Source: the kubelet's `eviction_manager.go` (`synchronize`).
"""

from __future__ import annotations

import logging

from skerry.engine.node.context import NodeContext
from skerry.engine.node.cri.client import CriError
from skerry.engine.node.machine import Pressure
from skerry.engine.node.pods.manager import PodManager
from skerry.engine.node.pressure.images import ImageCleaner
from skerry.engine.node.pressure.measuring import usages
from skerry.engine.node.pressure.ranking import excess, has_limits, message, ranked
from skerry.engine.node.pressure.signals import DISK, MEMORY, Shortage, shortages
from skerry.engine.node.pressure.watch import is_critical

log = logging.getLogger(__name__)


class Evictor:
    """One node's. `look` when some time has passed."""

    def __init__(self, context: NodeContext, manager: PodManager, images: ImageCleaner) -> None:
        self._context = context
        self._manager = manager
        self._images = images

    async def look(self) -> None:
        """See whether something has to go, and have it go. Failures of the runtime are logged."""
        pressure = self._context.pressure.look()
        try:
            if not await self._over_limits():
                await self._relieve(pressure)
            await self._images.look(pressure)
        except CriError as error:
            log.warning("looking after memory and disk: %s", error)

    async def _over_limits(self) -> bool:
        """Evict pods that use more local storage than they may; whether there was one."""
        limited = [(pod, records) for pod, records in self._manager.running_pods() if has_limits(pod)]
        if not limited:
            return False
        found = [(usage.pod, excess(usage)) for usage in await usages(self._context, limited)]
        over = [(pod, why) for pod, why in found if why and not is_critical(pod)]
        for pod, why in over:
            self._manager.evict(pod, why)
        return bool(over)

    async def _relieve(self, pressure: Pressure) -> None:
        """Evict one pod for the first shortage there is, unless removing images was enough."""
        short = next(shortages(pressure), None)
        if short is None:
            return
        if short.condition == DISK and await self._images.remove_all_unused():
            short = next((each for each in shortages(self._context.pressure.look()) if each.condition != MEMORY), None)
        if short is not None:
            await self._evict_one(short)

    async def _evict_one(self, short: Shortage) -> None:
        running = list(self._manager.running_pods())
        if not running:
            return
        order = ranked(await usages(self._context, running), short.resource)
        if order:
            log.warning("evicting a pod: %s", short.message)
            self._manager.evict(order[0].pod, message(order[0], short))
