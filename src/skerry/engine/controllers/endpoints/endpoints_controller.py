"""Keeps the Endpoints object of every Service that has a selector. Decisions are in `subsets`."""

from __future__ import annotations

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.endpoints.backends import has_backends, selected_pods
from skerry.engine.controllers.endpoints.service_watch import ServiceWatch
from skerry.engine.controllers.endpoints.subsets import MANAGED_BY, MANAGER, build_endpoints
from skerry.engine.controllers.writing import Written, namespace_is_ending
from skerry.kube.errors import AlreadyExists, Forbidden, NotFound
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, annotations_of, key_of, labels_of, name_of, namespace_of, split_key
from skerry.kube.resources import ENDPOINTS


class EndpointsController(ServiceWatch):
    """One Endpoints object per Service. Nothing of ours reads them any more, so they may follow more slowly."""

    name = "endpoints"
    seconds_per_pod = 0.005

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._endpoints = context.informers.of(ENDPOINTS)
        self._written = Written(self._endpoints)
        self._endpoints.add_handler(self._endpoints_changed)

    async def reconcile(self, key: str) -> float | None:
        """Create, replace or delete the Endpoints object of one Service."""
        namespace, name = split_key(key)
        if not self._written.seen(key):
            return 0.01
        service, existing = self._services.get(name, namespace), self._endpoints.get(name, namespace)
        if service is None:
            await self._remove_leftover(key, existing)
        elif has_backends(service):
            pods = selected_pods(service, self._pods)
            self.set_pace(key, len(pods))
            await self._write(key, existing, build_endpoints(service, pods))
        return None

    async def _write(self, key: str, existing: Obj | None, wanted: Obj) -> None:
        if existing is None:
            await self._create(key, wanted)
            return
        if _content(existing) == _content(wanted):
            return
        replacement = {**wanted, "metadata": {**existing["metadata"], **wanted["metadata"]}}
        if "annotations" not in wanted["metadata"]:
            replacement["metadata"].pop("annotations", None)
        self._written.note(key, await self._client.update(ENDPOINTS, replacement))

    async def _create(self, key: str, wanted: Obj) -> None:
        try:
            self._written.note(key, await self._client.create(ENDPOINTS, wanted, namespace_of(wanted)))
        except AlreadyExists:
            self.queue.add_after(key, 0.01)  # the cache will show it
        except Forbidden as error:
            if not namespace_is_ending(error):
                raise

    async def _remove_leftover(self, key: str, existing: Obj | None) -> None:
        """The Service is gone. What somebody else wrote under its name stays."""
        self.forget(key)
        self._written.forget(key)
        if existing is None or labels_of(existing).get(MANAGED_BY) != MANAGER:
            return
        try:
            await self._client.delete(ENDPOINTS, name_of(existing), namespace_of(existing))
        except NotFound:
            return

    def _endpoints_changed(self, delta: Delta) -> None:
        """Ours, deleted by somebody or left behind by a Service deleted while we were away."""
        if labels_of(delta.object).get(MANAGED_BY) == MANAGER and (delta.new is None or delta.old is None):
            self.queue.add(key_of(delta.object))


def _content(endpoints: Obj) -> tuple[object, ...]:
    return endpoints.get("subsets") or [], labels_of(endpoints), annotations_of(endpoints)
