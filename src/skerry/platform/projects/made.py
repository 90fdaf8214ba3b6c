"""What the platform has made for projects, from caches of nothing else: so that nothing is written that is so already.

Read as the capability. Wait for `complete` before believing that something is missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from skerry.kube.client import Client, Selection
from skerry.kube.errors import NotFound
from skerry.kube.informer import Delta, Handler, Informer
from skerry.kube.objects import Obj, Resource, labels_of, name_of, namespace_of
from skerry.kube.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    LIMIT_RANGES,
    NETWORK_POLICIES,
    PRIORITY_CLASSES,
    RESOURCE_QUOTAS,
    ROLE_BINDINGS,
    SERVICE_ACCOUNTS,
)
from skerry.kube.tasks import end, together
from skerry.platform.base.applying import apply
from skerry.platform.projects.types import MADE_LABEL
from skerry.platform.projects.wanted import Wanted, covers

_KINDS = (
    CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, PRIORITY_CLASSES,
    RESOURCE_QUOTAS, LIMIT_RANGES, NETWORK_POLICIES, ROLE_BINDINGS, SERVICE_ACCOUNTS,
)  # fmt: skip


_BY_PROJECT = "by project"


class Made:
    """The caches, and writing what differs from them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        ours = Selection(MADE_LABEL)
        self._informers = {kind: Informer(client, kind, None, ours, _shortened) for kind in _KINDS}
        self._tasks: list[asyncio.Task[None]] = []
        for informer in self._informers.values():
            informer.add_index(_BY_PROJECT, lambda one: [made_for(one)])

    def add_handler(self, handler: Handler) -> None:
        """Of every change; not of a status, which quotas have a new one of with every pod."""
        for informer in self._informers.values():
            informer.add_handler(lambda delta: handler(delta) if _differs(delta) else None)

    def start(self) -> None:
        """Begin to follow what is there."""
        self._tasks = [asyncio.create_task(one.run(), name="made for projects") for one in self._informers.values()]

    async def complete(self) -> None:
        """Returns when every cache has had its first list."""
        for informer in self._informers.values():
            await informer.synced.wait()

    async def close(self) -> None:
        """Stop."""
        for task in self._tasks:
            await end(task)

    async def put(self, wanted: Iterable[Wanted], namespace: str = "") -> None:
        """Write what is not so yet: roles first, as only what is there can be bound. Raises StatusError."""
        missing = [
            (resource, _placed(obj, namespace))
            for resource, obj in wanted
            if not covers(self._informers[resource].get(name_of(obj), namespace), obj)
        ]
        for roles in (True, False):
            now = [one for one in missing if (one[0] == CLUSTER_ROLES) == roles]
            await together(*(self._write(resource, obj, namespace) for resource, obj in now))

    async def take_away(self, names: Iterable[tuple[Resource, str]], namespace: str = "") -> None:
        """Delete what is there of these. Raises StatusError."""
        there = [(resource, name) for resource, name in names if self._informers[resource].get(name, namespace)]
        await together(*(self._delete(resource, name, namespace) for resource, name in there))

    def namespaces_of(self, project: str) -> set[str]:
        """Where something stands that was made for a project."""
        there = (one for informer in self._informers.values() for one in informer.by_index(_BY_PROJECT, project))
        return {namespace_of(one) for one in there} - {""}

    async def _write(self, resource: Resource, obj: Obj, namespace: str) -> None:
        """What Kubernetes lets nobody change is made anew."""
        old = self._informers[resource].get(name_of(obj), namespace)
        if old is not None and any(name in obj and old.get(name) != obj[name] for name in ("roleRef", "value")):
            await self._delete(resource, name_of(obj), namespace)
        await apply(self._client, resource, obj)

    async def _delete(self, resource: Resource, name: str, namespace: str) -> None:
        try:
            await self._client.delete(resource, name, namespace or None)
        except NotFound:
            return


def made_for(obj: Obj) -> str:
    """The project that something was made for, "" for other things."""
    return labels_of(obj).get(MADE_LABEL, "")


def _differs(delta: Delta) -> bool:
    if delta.old is None or delta.new is None:
        return True
    return _without_version(delta.old) != _without_version(delta.new)


def _without_version(obj: Obj) -> Obj:
    return {**obj, "metadata": {name: one for name, one in obj["metadata"].items() if name != "resourceVersion"}}


def _placed(obj: Obj, namespace: str) -> Obj:
    return {**obj, "metadata": {**obj["metadata"], "namespace": namespace}} if namespace else obj


def _shortened(obj: Obj) -> Obj:
    """Without what nobody compares."""
    metadata = {name: value for name, value in obj["metadata"].items() if name not in ("managedFields", "annotations")}
    return {**{name: value for name, value in obj.items() if name != "status"}, "metadata": metadata}
