"""The resources garbage collection and namespace deletion must know: all that are served, custom ones as they come.

One metadata cache per resource, shared. When a CustomResourceDefinition comes or goes the list is read again.
Events are left out: nothing owns by them, and there are many.
"""

from __future__ import annotations

from collections.abc import Callable

from skerry.engine.controllers.context import Context
from skerry.kube.informer import Informer
from skerry.kube.objects import Resource

Connect = Callable[[Informer], None]
CRDS = "customresourcedefinitions.apiextensions.k8s.io"


class ServedResources:
    """Caches by version-free resource name; `connect` is called once for each new one."""

    def __init__(self, context: Context, connect: Connect) -> None:
        self._context = context
        self._connect = connect
        self.informers: dict[str, Informer] = {}
        self._by_kind: dict[tuple[str, str], Resource] = {}

    def refresh(self) -> list[Informer]:
        """Follow what is served now. Returns the caches of what is served no longer; the caller stops them."""
        served = {one.group_resource: one for one in self._context.resources() if one.plural != "events"}
        for name, resource in served.items():
            if name not in self.informers:
                self.informers[name] = self._context.informers.metadata_of(resource)
                self._connect(self.informers[name])
        self._by_kind = {(one.group, one.kind): one for one in served.values()}
        return [self.informers.pop(name) for name in list(self.informers) if name not in served]

    def by_kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource an owner reference speaks of, whatever version it names."""
        group, _, _ = api_version.rpartition("/")
        return self._by_kind.get((group, kind))
