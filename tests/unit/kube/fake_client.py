"""A client with one scripted collection: enough for informers, queues and recorders, which need no real API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from skerry.kube.client import EVERYTHING, EventType, ObjectList, PatchType, Selection, WatchEvent
from skerry.kube.errors import NotFound, not_found
from skerry.kube.objects import Obj, Resource, name_of


class FakeClient:
    """`items` is what a list gives; `emit` feeds the open watch; `failures` are raised by the next lists."""

    def __init__(self) -> None:
        self.items: list[Obj] = []
        self.revision = 1
        self.lists = 0
        self.failures: list[Exception] = []
        self.created: list[Obj] = []
        self.patched: list[tuple[str, Any]] = []
        self.gone = False
        self._events: asyncio.Queue[WatchEvent | Exception | None] = asyncio.Queue()

    def emit(self, type_: EventType, obj: Obj) -> None:
        self._events.put_nowait(WatchEvent(type_, obj))

    def break_watch(self, error: Exception | None) -> None:
        self._events.put_nowait(error)

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        selection: Selection = EVERYTHING,
        *,
        limit: int = 0,
        next_token: str = "",
    ) -> ObjectList:
        self.lists += 1
        if self.failures:
            raise self.failures.pop(0)
        return ObjectList(list(self.items), str(self.revision))

    @asynccontextmanager
    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        selection: Selection = EVERYTHING,
        *,
        resource_version: str,
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        yield self._stream()

    async def _stream(self) -> AsyncIterator[WatchEvent]:
        while (event := await self._events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event

    async def get(self, resource: Resource, name: str, namespace: str | None = None, subresource: str = "") -> Obj:
        raise not_found(resource.group_resource, name)

    async def create(self, resource: Resource, obj: Obj, namespace: str | None = None, subresource: str = "") -> Obj:
        self.created.append(obj)
        return obj

    async def update(self, resource: Resource, obj: Obj, subresource: str = "") -> Obj:
        return obj

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Obj | Sequence[Obj],
        namespace: str | None = None,
        *,
        kind: PatchType = "merge",
        subresource: str = "",
    ) -> Obj:
        if self.gone or name not in {name_of(obj) for obj in self.created}:
            raise NotFound("gone")
        self.patched.append((name, patch))
        return {}

    async def delete(
        self, resource: Resource, name: str, namespace: str | None = None, options: Obj | None = None
    ) -> Obj:
        return {}
