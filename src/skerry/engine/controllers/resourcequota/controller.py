"""Keeps `status` of ResourceQuotas current: on a change of a quota, and of what it counts. Nothing is polled.

Refusing what is too much is the API's (`engine.api.admission.resource_quota`), which does not look at the status.
Decisions are in `status`, sums in `following`: a report costs the same however many objects there are. Objects that are
only counted come from metadata caches, which the garbage collector has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.resourcequota.following import Following
from skerry.engine.controllers.resourcequota.status import matters, next_look, quota_status
from skerry.engine.controllers.writing import write_status
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import key_of, namespace_of, split_key
from skerry.kube.quota.sums import Sums
from skerry.kube.quota.usage import MEASURED, resources_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PODS, RESOURCE_QUOTAS, SERVICES

_PAUSE = 0.05  # seconds; what comes and goes within is reported once, and who made it has the answer before


class ResourceQuotaController(Controller):
    """Keys are quotas."""

    name = "resourcequota"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._clock = context.clock
        self._informers = context.informers
        self._resources = context.resources
        self._quotas = context.informers.of(RESOURCE_QUOTAS)
        self._following = Following(context.clock)
        self._counted: dict[str, Informer] = {}
        self.watch(self._quotas)
        for resource in (PODS, SERVICES, PERSISTENT_VOLUME_CLAIMS):
            self._connect(resource.plural, context.informers.of(resource))

    async def reconcile(self, key: str) -> float | None:
        """Report one quota; comes back when a pod that is going away stops counting."""
        namespace, name = split_key(key)
        quota = self._quotas.get(name, namespace)
        if quota is None:
            if not self._quotas.list(namespace):
                self._following.forget_namespace(namespace)
            return None
        sums = await self._sums(namespace, resources_of((quota.get("spec") or {}).get("hard") or {}))
        now = self._clock.now()
        try:
            await write_status(self._client, RESOURCE_QUOTAS, quota, quota_status(quota, sums, now))
        except NotFound:
            return None
        return next_look(sums, now)

    async def _sums(self, namespace: str, resources: Iterable[str]) -> dict[str, Sums]:
        """Of those of the resources that are served."""
        caches = {resource: cache for resource in resources if (cache := self._informer(resource)) is not None}
        for cache in caches.values():
            await cache.synced.wait()
        return {resource: self._following.sums(resource, namespace, cache) for resource, cache in caches.items()}

    def _informer(self, resource: str) -> Informer | None:
        """The cache of a resource by its name; None when nothing of that name is served."""
        if resource in MEASURED:
            return self._counted[resource]
        served = next((each for each in self._resources() if each.group_resource == resource), None)
        if served is None:
            if self._counted.pop(resource, None) is not None:
                self._following.forget_resource(resource)
            return None
        informer = self._informers.metadata_of(served)
        if self._counted.get(resource) is not informer:
            self._connect(resource, informer)
        return informer

    def _connect(self, resource: str, informer: Informer) -> None:
        self._following.forget_resource(resource)
        self._counted[resource] = informer
        changed: Callable[[Delta], None] = partial(self._changed, resource, informer)
        informer.add_handler(changed)

    def _changed(self, resource: str, informer: Informer, delta: Delta) -> None:
        """Look again at the quotas of the object's namespace, if what they count may have changed."""
        if self._counted.get(resource) is not informer:
            return  # a cache of what was served before
        self._following.see(resource, delta)
        measured = resource in MEASURED
        if delta.old is not None and delta.new is not None and not (measured and matters(delta.old, delta.new)):
            return
        for quota in self._quotas.list(namespace_of(delta.object)):
            self.queue.add_after(key_of(quota), _PAUSE)
