"""Starts dynamic DNS when there is a Domain: until then it costs an informer without objects and no import.

What it starts goes on until the engine ends, so that the last Domain can withdraw its records.
"""

from __future__ import annotations

import asyncio
from importlib import import_module

from skerry.engine.controllers.context import Context
from skerry.engine.definitions.domains import DOMAINS
from skerry.kube.controller import Controller

_ROOM = "skerry.engine.controllers.dynamic_dns"


class DynamicDns(Controller):
    """There is one key: that there is a Domain."""

    name = "dynamic-dns"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._started: list[Controller] = []
        self.watch(context.informers.of(DOMAINS), lambda domain: ("domains",))

    async def reconcile(self, key: str) -> float | None:
        """Start once, with complete caches: an Ingress that is not there yet would be one that is gone."""
        if self._started:
            return None
        for module in ("controller", "refusals"):
            await asyncio.to_thread(import_module, f"{_ROOM}.{module}")
        from skerry.engine.controllers.dynamic_dns.controller import DomainController
        from skerry.engine.controllers.dynamic_dns.refusals import HostRefusals

        made = [DomainController(self._context), HostRefusals(self._context)]
        await self._context.informers.start()
        for controller in made:
            controller.start()
        self._started = made
        return None

    async def close(self) -> None:
        """End what was started, too."""
        await super().close()
        for controller in self._started:
            await controller.close()
