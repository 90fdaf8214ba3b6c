"""A local, always current copy of a collection: list once, then watch; list again when the history is gone.

Neighbours: `kube.client` below, `kube.controller` above. Invariants: `synced` is set after the first complete list;
handlers run on the event loop, in order, and must be quick (put a key in a queue); objects handed out are shared and
must not be changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from skerry.kube.client import EVERYTHING, Client, Selection, WatchEvent
from skerry.kube.errors import Expired, Gone, StatusError
from skerry.kube.objects import Obj, Resource, name_of, namespace_of

log = logging.getLogger(__name__)

ObjectKey = tuple[str, str]
IndexFunction = Callable[[Obj], Iterable[str]]
_FIRST_DELAY, _LONGEST_DELAY = 0.05, 10.0  # seconds between attempts while the API does not answer


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed: `new` is None for a deletion, `old` None for an addition; both for an update or a resync."""

    old: Obj | None
    new: Obj | None

    @property
    def object(self) -> Obj:
        """The newest state known."""
        known = self.new if self.new is not None else self.old
        assert known is not None
        return known


Handler = Callable[[Delta], None]


class Index:
    """Objects of an informer by the values a function gives for each (say, the node a pod is bound to)."""

    def __init__(self, function: IndexFunction) -> None:
        self._function = function
        self._keys: dict[str, dict[ObjectKey, None]] = {}

    def move(self, key: ObjectKey, old: Obj | None, new: Obj | None) -> None:
        """Follow a change of one object."""
        for value in self._function(old) if old is not None else ():
            bucket = self._keys.get(value, {})
            bucket.pop(key, None)
            if not bucket:
                self._keys.pop(value, None)
        for value in self._function(new) if new is not None else ():
            self._keys.setdefault(value, {})[key] = None

    def keys(self, value: str) -> list[ObjectKey]:
        """Keys of the objects that have `value`."""
        return list(self._keys.get(value, ()))


class Informer:
    """The cache of one collection. Start it once; share it between controllers."""

    def __init__(
        self, client: Client, resource: Resource, namespace: str | None = None, selection: Selection = EVERYTHING
    ) -> None:
        self.resource = resource
        self.synced = asyncio.Event()
        self._client = client
        self._namespace = namespace
        self._selection = selection
        self._objects: dict[ObjectKey, Obj] = {}
        self._handlers: list[Handler] = []
        self._indexes: dict[str, Index] = {}

    def add_handler(self, handler: Handler) -> None:
        """Call `handler` on every change from now on, and once for every object already known."""
        self._handlers.append(handler)
        for obj in list(self._objects.values()):
            handler(Delta(None, obj))

    def add_index(self, name: str, function: IndexFunction) -> None:
        """Keep an index; harmless when one of that name exists."""
        if name in self._indexes:
            return
        index = self._indexes[name] = Index(function)
        for key, obj in self._objects.items():
            index.move(key, None, obj)

    def get(self, name: str, namespace: str = "") -> Obj | None:
        """The object as last seen, or None."""
        return self._objects.get((namespace, name))

    def list(self, namespace: str | None = None) -> Sequence[Obj]:
        """All objects, or those of one namespace."""
        if namespace is None:
            return list(self._objects.values())
        return [obj for key, obj in self._objects.items() if key[0] == namespace]

    def by_index(self, name: str, value: str) -> Sequence[Obj]:
        """Objects that have `value` in the index `name`."""
        return [self._objects[key] for key in self._indexes[name].keys(value) if key in self._objects]

    async def run(self) -> None:
        """Keep the cache current until cancelled. Failures of the API are waited out with back-off."""
        delay = _FIRST_DELAY
        while True:
            try:
                revision = await self._relist()
                delay = _FIRST_DELAY
                await self._follow(revision)
            except (Expired, Gone):
                continue
            except (StatusError, OSError) as error:
                log.warning("%s: list and watch failed, trying again: %s", self.resource.group_resource, error)
                await asyncio.sleep(delay * random.uniform(0.8, 1.2))  # noqa: S311  # spread, not secrecy
                delay = min(delay * 2, _LONGEST_DELAY)

    async def _relist(self) -> str:
        listed = await self._client.list(self.resource, self._namespace, self._selection)
        fresh = {(namespace_of(obj), name_of(obj)): obj for obj in listed.items}
        for key in [key for key in self._objects if key not in fresh]:
            self._apply(key, None)
        for key, obj in fresh.items():
            self._apply(key, obj)
        self.synced.set()
        return listed.resource_version

    async def _follow(self, revision: str) -> None:
        """Watch; when the server ends the stream in order, watch again from the last revision seen."""
        while True:
            watching = self._client.watch(self.resource, self._namespace, self._selection, resource_version=revision)
            async with watching as events:
                async for event in events:
                    revision = event.object["metadata"]["resourceVersion"]
                    self._take(event)

    def _take(self, event: WatchEvent) -> None:
        if event.type == "BOOKMARK":
            return
        key = (namespace_of(event.object), name_of(event.object))
        self._apply(key, None if event.type == "DELETED" else event.object)

    def _apply(self, key: ObjectKey, new: Obj | None) -> None:
        old = self._objects.get(key)
        if old is None and new is None:
            return
        if new is None:
            del self._objects[key]
        else:
            self._objects[key] = new
        for index in self._indexes.values():
            index.move(key, old, new)
        for handler in self._handlers:
            handler(Delta(old, new))


class Informers:
    """One shared informer per resource; runs them all as tasks until closed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._informers: dict[Resource, Informer] = {}
        self._tasks: dict[Resource, asyncio.Task[None]] = {}
        self._started = False

    def of(self, resource: Resource) -> Informer:
        """The informer of a resource, made at the first call (and started, if the others are)."""
        if resource not in self._informers:
            self._informers[resource] = Informer(self._client, resource)
            if self._started:
                self._start(resource)
        return self._informers[resource]

    async def start(self) -> None:
        """Start all informers and wait until each has its first list."""
        self._started = True
        for resource in self._informers:
            self._start(resource)
        await asyncio.gather(*(informer.synced.wait() for informer in self._informers.values()))

    async def close(self) -> None:
        """Stop all of them."""
        for task in self._tasks.values():
            task.cancel()
        for task in self._tasks.values():
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()

    def _start(self, resource: Resource) -> None:
        if resource not in self._tasks:
            name = f"informer {resource.group_resource}"
            self._tasks[resource] = asyncio.create_task(self._informers[resource].run(), name=name)
