"""Keeps the EndpointSlices of every Service that has a selector. Decisions are in `slices`.

The network reads slices, so a new ready pod must show here within milliseconds: a quiet Service is written at once, a
busy one as often as `ServiceWatch.set_pace` allows. Slices of a deleted Service go by garbage collection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.endpoints.backends import has_backends, selected_pods
from skerry.engine.controllers.endpoints.service_watch import ServiceWatch
from skerry.engine.controllers.endpoints.slices import MANAGED_BY, MANAGER, SERVICE_NAME, SlicePlan, plan_slices
from skerry.engine.controllers.writing import Written, namespace_is_ending
from skerry.kube.errors import Forbidden, NotFound
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, labels_of, name_of, namespace_of, split_key
from skerry.kube.resources import ENDPOINT_SLICES, NODES

_ZONE = "topology.kubernetes.io/zone"
_INDEX = "service"


class EndpointSliceController(ServiceWatch):
    """Slices of at most 100 endpoints per Service."""

    name = "endpointslice"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._nodes = context.informers.of(NODES)
        self._slices = context.informers.of(ENDPOINT_SLICES)
        self._slices.add_index(_INDEX, _service_of)
        self._written = Written(self._slices)
        self._slices.add_handler(self._slice_changed)

    async def reconcile(self, key: str) -> float | None:
        """Make the fewest changes that bring the Service's slices up to date."""
        namespace, name = split_key(key)
        if not self._written.seen(key):
            return 0.01
        service = self._services.get(name, namespace)
        if service is None:
            self.forget(key)
            self._written.forget(key)
            return None
        if not has_backends(service):
            return None
        existing = self._slices.by_index(_INDEX, key)
        pods = selected_pods(service, self._pods)
        self.set_pace(key, len(pods))
        await self._carry_out(key, plan_slices(service, pods, existing, self._zone_of))
        return None

    async def _carry_out(self, key: str, plan: SlicePlan) -> None:
        steps = (
            *(self._create(key, one) for one in plan.create),
            *(self._update(key, one) for one in plan.update),
            *(self._delete(key, one) for one in plan.delete),
        )
        await asyncio.gather(*steps)

    async def _create(self, key: str, one: Obj) -> None:
        try:
            self._written.note(key, await self._client.create(ENDPOINT_SLICES, one, namespace_of(one)))
        except Forbidden as error:
            if not namespace_is_ending(error):
                raise

    async def _update(self, key: str, one: Obj) -> None:
        self._written.note(key, await self._client.update(ENDPOINT_SLICES, one))

    async def _delete(self, key: str, one: Obj) -> None:
        try:
            self._written.note(key, await self._client.delete(ENDPOINT_SLICES, name_of(one), namespace_of(one)))
        except NotFound:
            return

    def _zone_of(self, node: str) -> str:
        found = self._nodes.get(node)
        return labels_of(found).get(_ZONE, "") if found is not None else ""

    def _slice_changed(self, delta: Delta) -> None:
        """A slice of ours that somebody deleted is made again."""
        if delta.new is None:
            for key in _service_of(delta.object):
                self.queue.add(key)


def _service_of(one: Obj) -> Iterable[str]:
    """The Service a slice of ours belongs to; slices of other managers are not ours to touch."""
    labels = labels_of(one)
    if labels.get(MANAGED_BY) == MANAGER and labels.get(SERVICE_NAME):
        yield f"{namespace_of(one)}/{labels[SERVICE_NAME]}"
