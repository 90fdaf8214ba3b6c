"""An API of a few collections held in memory: what informers list and watch, changed by the test."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from skerry.kube.client import EVERYTHING, ObjectList, Selection, WatchEvent
from skerry.kube.objects import Obj, Resource, name_of, namespace_of


class Collections:
    """The listing half of `kube.client.Client`."""

    def __init__(self) -> None:
        self._objects: dict[Resource, dict[tuple[str, str], Obj]] = defaultdict(dict)
        self._watchers: dict[Resource, list[asyncio.Queue[WatchEvent]]] = defaultdict(list)
        self._revision = 1

    def put(self, resource: Resource, obj: Obj) -> None:
        """Create or replace."""
        self._revision += 1
        key = namespace_of(obj), name_of(obj)
        obj = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self._revision)}}
        known = key in self._objects[resource]
        self._objects[resource][key] = obj
        self._tell(resource, WatchEvent("MODIFIED" if known else "ADDED", obj))

    def remove(self, resource: Resource, name: str, namespace: str = "default") -> None:
        """Delete."""
        self._revision += 1
        obj = self._objects[resource].pop((namespace, name))
        last = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self._revision)}}
        self._tell(resource, WatchEvent("DELETED", last))

    async def list(
        self, resource: Resource, namespace: str | None = None, selection: Selection = EVERYTHING, **_: Any
    ) -> ObjectList:
        return ObjectList(list(self._objects[resource].values()), str(self._revision))

    @asynccontextmanager
    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        selection: Selection = EVERYTHING,
        *,
        resource_version: str,
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        queue: asyncio.Queue[WatchEvent] = asyncio.Queue()
        self._watchers[resource].append(queue)
        try:
            yield self._stream(queue)
        finally:
            self._watchers[resource].remove(queue)

    async def _stream(self, queue: asyncio.Queue[WatchEvent]) -> AsyncIterator[WatchEvent]:
        while True:
            yield await queue.get()

    def _tell(self, resource: Resource, event: WatchEvent) -> None:
        for queue in self._watchers[resource]:
            queue.put_nowait(event)
