"""Acting on the EndpointSlices of one manager: find them by Service, carry out a plan, notice deletions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.endpoints.arrange import MANAGED_BY, SERVICE_NAME, SlicePlan
from skerry.engine.controllers.writing import Written, namespace_is_ending
from skerry.kube.errors import Forbidden, NotFound
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, labels_of, name_of, namespace_of
from skerry.kube.resources import ENDPOINT_SLICES


class SliceWriter:
    """Slices of one manager. `queue` is given the key of a Service one of whose slices somebody deleted."""

    def __init__(self, context: Context, manager: str, queue: Callable[[str], None]) -> None:
        self._client = context.client
        self._manager = manager
        self._queue = queue
        self._slices = context.informers.of(ENDPOINT_SLICES)
        self._slices.add_index(manager, self._service_of)
        self._written = Written(self._slices)
        self._slices.add_handler(self._slice_changed)

    def of(self, key: str) -> Sequence[Obj]:
        """The manager's slices of a Service."""
        return self._slices.by_index(self._manager, key)

    def are_current(self, key: str) -> bool:
        """Whether the cache shows what was written for this Service."""
        return self._written.seen(key)

    def forget(self, key: str) -> None:
        """The Service is gone."""
        self._written.forget(key)

    async def carry_out(self, key: str, plan: SlicePlan) -> None:
        """Create, replace and delete as planned."""
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

    def _service_of(self, one: Obj) -> Iterable[str]:
        """The Service a slice of ours belongs to; slices of other managers are not ours to touch."""
        labels = labels_of(one)
        if labels.get(MANAGED_BY) == self._manager and labels.get(SERVICE_NAME):
            yield f"{namespace_of(one)}/{labels[SERVICE_NAME]}"

    def _slice_changed(self, delta: Delta) -> None:
        if delta.new is None:
            for key in self._service_of(delta.object):
                self._queue(key)
