"""Mirrors Endpoints that people write into EndpointSlices, which the network reads. Decisions are in `mirror`."""

from __future__ import annotations

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.endpoints.arrange import SlicePlan
from skerry.engine.controllers.endpoints.mirror import MANAGER, is_mirrored, plan_mirror
from skerry.engine.controllers.endpoints.slice_writer import SliceWriter
from skerry.kube.controller import Controller
from skerry.kube.objects import split_key
from skerry.kube.resources import ENDPOINTS, SERVICES


class EndpointSliceMirror(Controller):
    """Keys are Services, which have the names of their Endpoints."""

    name = "endpointslice-mirror"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._services = context.informers.of(SERVICES)
        self._endpoints = context.informers.of(ENDPOINTS)
        self._slices = SliceWriter(context, MANAGER, self.queue.add)
        self.watch(self._services)
        self.watch(self._endpoints)

    async def reconcile(self, key: str) -> float | None:
        """Bring the mirror up to date, or take it away."""
        namespace, name = split_key(key)
        if not self._slices.are_current(key):
            return 0.01
        service, endpoints = self._services.get(name, namespace), self._endpoints.get(name, namespace)
        existing = self._slices.of(key)
        if endpoints is not None and is_mirrored(service, endpoints):
            await self._slices.carry_out(key, plan_mirror(endpoints, existing))
        elif existing:
            await self._slices.carry_out(key, SlicePlan(delete=list(existing)))
        return None
