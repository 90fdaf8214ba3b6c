"""Keeps the EndpointSlices of every Service that has a selector. Decisions are in `slices`.

The network reads slices, so a new ready pod must show here within milliseconds: a quiet Service is written at once, a
busy one as often as `ServiceWatch.set_pace` allows. Slices of a deleted Service go by garbage collection.
"""

from __future__ import annotations

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.endpoints.backends import has_backends, selected_pods
from skerry.engine.controllers.endpoints.service_watch import ServiceWatch
from skerry.engine.controllers.endpoints.slice_writer import SliceWriter
from skerry.engine.controllers.endpoints.slices import MANAGER, plan_slices
from skerry.kube.objects import labels_of, split_key
from skerry.kube.resources import NODES

_ZONE = "topology.kubernetes.io/zone"


class EndpointSliceController(ServiceWatch):
    """Slices of at most 100 endpoints per Service."""

    name = "endpointslice"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._nodes = context.informers.of(NODES)
        self._slices = SliceWriter(context, MANAGER, self.queue.add)

    async def reconcile(self, key: str) -> float | None:
        """Make the fewest changes that bring the Service's slices up to date."""
        namespace, name = split_key(key)
        if not self._slices.are_current(key):
            return 0.01
        service = self._services.get(name, namespace)
        if service is None:
            self.forget(key)
            self._slices.forget(key)
            return None
        if not has_backends(service):
            return None
        pods = selected_pods(service, self._pods)
        self.set_pace(key, len(pods))
        await self._slices.carry_out(key, plan_slices(service, pods, self._slices.of(key), self._zone_of))
        return None

    def _zone_of(self, node: str) -> str:
        found = self._nodes.get(node)
        return labels_of(found).get(_ZONE, "") if found is not None else ""
