"""A local, always current copy of a collection: list once, then watch; list again when the history is gone.

Neighbours: `kube.client` below, `kube.controller` above. Invariants: `synced` is set after the first complete list;
handlers run on the event loop, in order, and must be quick (put a key in a queue); a failing handler harms nobody
else; objects handed out are shared and must not be changed; an object replaced under its name (another uid) is
reported as a deletion and an addition; a resource that is not served has no objects, and is asked for again.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import NamedTuple

from skerry.kube.client import EVERYTHING, Client, Selection, WatchEvent
from skerry.kube.errors import Expired, Gone, NotFound, StatusError
from skerry.kube.objects import Obj, Resource, name_of, namespace_of, uid_of
from skerry.kube.tasks import end

log = logging.getLogger(__name__)

ObjectKey = tuple[str, str]
IndexFunction = Callable[[Obj], Iterable[str]]
Transform = Callable[[Obj], Obj]
_FIRST_DELAY, _LONGEST_DELAY = 0.05, 10.0  # seconds between attempts while the API does not answer
_SHORT_WATCH = 1.0  # seconds; a watch that ends sooner without an event is not opened again at once


class Delta(NamedTuple):
    """What changed: `new` is None for a deletion, `old` None for an addition; both for an update."""

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
        before = tuple(self._function(old)) if old is not None else ()
        after = tuple(self._function(new)) if new is not None else ()
        if before == after:
            return
        for value in before:
            bucket = self._keys.get(value, {})
            bucket.pop(key, None)
            if not bucket:
                self._keys.pop(value, None)
        for value in after:
            self._keys.setdefault(value, {})[key] = None

    def keys(self, value: str) -> list[ObjectKey]:
        """Keys of the objects that have `value`."""
        return list(self._keys.get(value, ()))

    def count(self, value: str) -> int:
        """How many objects have `value`."""
        return len(self._keys.get(value, ()))


class Informer:
    """The cache of one collection. Start it once; share it between controllers."""

    def __init__(
        self,
        client: Client,
        resource: Resource,
        namespace: str | None = None,
        selection: Selection = EVERYTHING,
        transform: Transform | None = None,
    ) -> None:
        """`transform` makes what is kept from what is received, to save memory; it must keep the metadata."""
        self.resource = resource
        self.synced = asyncio.Event()
        self.revision = 0
        """The newest resourceVersion the cache is known to reflect: what was written at or before it is seen."""
        self._client = client
        self._namespace = namespace
        self._selection = selection
        self._transform = transform
        self._objects: dict[ObjectKey, Obj] = {}
        self._handlers: list[Handler] = []
        self._indexes: dict[str, Index] = {}

    def add_handler(self, handler: Handler) -> None:
        """Call `handler` on every change from now on, and once for every object already known."""
        self._handlers.append(handler)
        for obj in list(self._objects.values()):
            self._call(handler, Delta(None, obj))

    def remove_handler(self, handler: Handler) -> None:
        """Do not call it again."""
        self._handlers.remove(handler)

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
        self.add_index("namespace", _by_namespace)
        return self.by_index("namespace", namespace)

    def by_index(self, name: str, value: str) -> Sequence[Obj]:
        """Objects that have `value` in the index `name`."""
        objects = self._objects
        return [objects[key] for key in self._indexes[name].keys(value)]

    def count(self, name: str, value: str) -> int:
        """How many objects have `value` in the index `name`."""
        return self._indexes[name].count(value)

    async def run(self) -> None:
        """Keep the cache current until cancelled. Failures of the API are waited out with back-off."""
        delay = _FIRST_DELAY
        while True:
            started = monotonic()
            try:
                await self._follow(await self._relist())
            except (Expired, Gone) as error:
                log.debug("%s: listing again: %s", self.resource.group_resource, error)
            except NotFound:
                self._not_served()
            except (StatusError, OSError) as error:
                log.warning("%s: list and watch failed, trying again: %s", self.resource.group_resource, error)
            except Exception:
                log.exception("%s: list and watch failed, trying again", self.resource.group_resource)
            delay = _FIRST_DELAY if monotonic() - started > _LONGEST_DELAY else min(delay * 2, _LONGEST_DELAY)
            await asyncio.sleep(delay * random.uniform(0.4, 0.6))  # noqa: S311  # spread, not secrecy

    async def _relist(self) -> str:
        listed = await self._client.list(self.resource, self._namespace, self._selection)
        fresh = {(namespace_of(obj), name_of(obj)): obj for obj in listed.items}
        for key in [key for key in self._objects if key not in fresh]:
            self._apply(key, None)
        for key, obj in fresh.items():
            if _version(self._objects.get(key)) != _version(obj):
                self._apply(key, obj)
        self._reached(listed.resource_version)
        self.synced.set()
        return listed.resource_version

    def _not_served(self) -> None:
        """There is no such resource, or not any more: its definition may come, and until then there are no objects."""
        log.debug("%s: not served", self.resource.group_resource)
        for key in list(self._objects):
            self._apply(key, None)
        self.synced.set()

    async def _follow(self, revision: str) -> None:
        """Watch; when the server ends the stream in order, watch again from the last revision seen."""
        while True:
            opened, before = monotonic(), revision
            watching = self._client.watch(self.resource, self._namespace, self._selection, resource_version=revision)
            async with watching as events:
                async for event in events:
                    revision = event.object["metadata"]["resourceVersion"]
                    self._take(event)
                    self._reached(revision)
            if revision == before and monotonic() - opened < _SHORT_WATCH:
                await asyncio.sleep(_SHORT_WATCH)

    def _take(self, event: WatchEvent) -> None:
        if event.type == "BOOKMARK":
            return
        metadata = event.object["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        self._apply(key, None if event.type == "DELETED" else event.object)

    def _reached(self, revision: str) -> None:
        if revision.isdecimal():
            self.revision = max(self.revision, int(revision))

    def _apply(self, key: ObjectKey, received: Obj | None) -> None:
        old = self._objects.get(key)
        new = self._kept(received) if received is not None else None
        if old is not None and new is not None and uid_of(old) != uid_of(new):
            self._change(key, old, None)
            old = None
        if old is not None or new is not None:
            self._change(key, old, new)

    def _change(self, key: ObjectKey, old: Obj | None, new: Obj | None) -> None:
        if new is None:
            del self._objects[key]
        else:
            self._objects[key] = new
        for index in self._indexes.values():
            index.move(key, old, new)
        delta = Delta(old, new)
        for handler in list(self._handlers):
            self._call(handler, delta)

    def _call(self, handler: Handler, delta: Delta) -> None:
        try:
            handler(delta)
        except Exception:
            log.exception("%s: a handler failed on %s", self.resource.group_resource, name_of(delta.object))

    def _kept(self, obj: Obj) -> Obj:
        """List items of a Kubernetes API carry no kind: put it back, then shorten as asked."""
        if "kind" not in obj:
            obj = {"apiVersion": self.resource.api_version, "kind": self.resource.kind, **obj}
        return self._transform(obj) if self._transform is not None else obj


def _by_namespace(obj: Obj) -> Iterable[str]:
    return (namespace_of(obj),)


def _version(obj: Obj | None) -> tuple[str, str]:
    metadata = obj.get("metadata", {}) if obj is not None else {}
    return metadata.get("uid", ""), metadata.get("resourceVersion", "")


class Informers:
    """One shared informer per resource; runs them all as tasks until closed."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._full: dict[Resource, Informer] = {}
        self._metadata: dict[Resource, Informer] = {}
        self._tasks: dict[Informer, asyncio.Task[None]] = {}
        self._started = False

    def of(self, resource: Resource) -> Informer:
        """The informer of a resource, made at the first call (and started, if the others are)."""
        return self._one(self._full, resource, None)

    def metadata_of(self, resource: Resource) -> Informer:
        """An informer whose objects have metadata (without managedFields) and perhaps more."""
        if resource in self._full:
            return self._full[resource]
        return self._one(self._metadata, resource, metadata_only)

    async def start(self) -> None:
        """Start all informers and wait until each has its first list."""
        self._started = True
        for informer in (*self._full.values(), *self._metadata.values()):
            self._start(informer)
        await asyncio.gather(*(informer.synced.wait() for informer in self._tasks))

    def incomplete(self) -> list[str]:
        """Resources whose cache has not had its first list, by name."""
        return [informer.resource.group_resource for informer in self._tasks if not informer.synced.is_set()]

    async def stop(self, informer: Informer) -> None:
        """Stop one of them: its resource is no longer served."""
        for kept in (self._full, self._metadata):
            if kept.get(informer.resource) is informer:
                del kept[informer.resource]
        await end(self._tasks.pop(informer, None))

    async def close(self) -> None:
        """Stop all of them."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        for task in tasks:
            await end(task)

    def _one(self, kept: dict[Resource, Informer], resource: Resource, transform: Transform | None) -> Informer:
        if resource not in kept:
            kept[resource] = Informer(self.client, resource, transform=transform)
            if self._started:
                self._start(kept[resource])
        return kept[resource]

    def _start(self, informer: Informer) -> None:
        if informer not in self._tasks:
            name = f"informer {informer.resource.group_resource}"
            self._tasks[informer] = asyncio.create_task(informer.run(), name=name)


def metadata_only(obj: Obj) -> Obj:
    """The object without everything that a metadata cache need not hold."""
    metadata = {**obj.get("metadata", {})}
    metadata.pop("managedFields", None)
    return {"apiVersion": obj.get("apiVersion", ""), "kind": obj.get("kind", ""), "metadata": metadata}
