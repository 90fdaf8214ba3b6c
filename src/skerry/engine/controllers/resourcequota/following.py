"""Sums of what quotas count, per resource and namespace, kept up to date from the caches while there are quotas there.

Invariant: a cache changes and tells us in one step, so sums that were begun from a cache miss nothing of it.
"""

from __future__ import annotations

from skerry.kube.clock import Clock
from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import name_of, namespace_of
from skerry.kube.quota.sums import Sums


class Following:
    """Of all namespaces. Resources are named as in `count/<resource>`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sums: dict[str, dict[str, Sums]] = {}
        """By namespace and resource."""

    def sums(self, resource: str, namespace: str, cache: Informer) -> Sums:
        """Those of a resource; begun from its cache, which must be complete."""
        kept = self._sums.setdefault(namespace, {})
        found = kept.get(resource)
        if found is None:
            found = kept[resource] = Sums(resource)
            now = self._clock.now()
            for obj in cache.list(namespace):
                found.put(name_of(obj), obj, now)
        return found

    def see(self, resource: str, delta: Delta) -> None:
        """The cache of a resource has changed."""
        sums = self._sums.get(namespace_of(delta.object), {}).get(resource)
        if sums is not None:
            sums.put(name_of(delta.object), delta.new, self._clock.now())

    def forget_namespace(self, namespace: str) -> None:
        """It has no quotas any more."""
        self._sums.pop(namespace, None)

    def forget_resource(self, resource: str) -> None:
        """It is not served any more, or has another cache."""
        for kept in self._sums.values():
            kept.pop(resource, None)
