"""The APIServices of the store: which group versions are elsewhere, what they hold, and in which order all are shown.

Follows the store from `start` to `close`; before that, `load` reads what is there. The registry is told what is
elsewhere, so that paths lead there from then on. Neighbours: `controller` (asks the servers), `plain` (shows).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from skerry.engine.api.aggregation.following import follow
from skerry.engine.api.aggregation.remote import GroupVersion, RemoteApi, group_version_of, remote_of
from skerry.engine.schema.registry import Registry
from skerry.engine.store.contract import Change, Store
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import API_SERVICES

_T = TypeVar("_T")


class Priority(NamedTuple):
    """What an APIService says about the order: higher comes first."""

    group: int
    version: int


class Learnt(NamedTuple):
    """What a server was last heard to serve."""

    resources: tuple[Obj, ...] = ()
    """`APIResource` entries."""
    current: bool = False
    """Whether it still says so: the last question was answered."""
    schemas: str = ""
    """Where its OpenAPI 3 document is, path and query; "" when it has none."""

    def collections(self, group: str, version: str) -> list[Resource]:
        """What can be listed and deleted."""
        return [
            Resource(group, version, one["name"], one.get("kind") or "", bool(one.get("namespaced")))
            for one in self.resources
            if "/" not in one["name"] and {"list", "delete"} <= set(one.get("verbs") or ())
        ]


_NOTHING = Learnt()


class ApiServiceTable:
    """What is known of the APIServices there are, and of the servers behind them."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self.remotes: dict[GroupVersion, RemoteApi] = {}
        self.priorities: dict[GroupVersion, Priority] = {}
        self.generation = 0
        """Raised by every change of what is known: what is derived from it may be kept under it."""
        self._learnt: dict[GroupVersion, Learnt] = {}
        self._store = store
        self._registry = registry
        self.changed: Callable[[str], None] = lambda name: None
        """Called with the name of an APIService when it leads elsewhere, or no longer does."""
        self._follower: asyncio.Task[None] | None = None

    def load(self) -> None:
        """Take what is in the store, in place of what was known."""
        found = {entry.key.name: entry.decode() for entry in self._store.list(API_SERVICES.group_resource)}
        for group, version in set(self.priorities) - {group_version_of(name) for name in found}:
            self._put(f"{version}.{group}", None)
        for name, obj in found.items():
            self._put(name, obj)

    def start(self) -> None:
        """Follow the store from here on."""
        following = follow(self._store, API_SERVICES.group_resource, self.load, self._apply)
        self._follower = asyncio.create_task(following, name="APIServices")

    async def close(self) -> None:
        """Stop; harmless twice."""
        follower, self._follower = self._follower, None
        if follower is not None:
            follower.cancel()
            await asyncio.gather(follower, return_exceptions=True)

    def named(self, name: str) -> RemoteApi | None:
        """What the APIService of a name says; None when it is served here, or not there."""
        return self.remotes.get(group_version_of(name))

    def serving(self, place: GroupVersion | None) -> RemoteApi | None:
        """Who serves a group version elsewhere."""
        return self.remotes.get(place) if place is not None else None

    def learnt(self, place: GroupVersion) -> Learnt:
        """What its server was heard to serve of a group version elsewhere."""
        return self._learnt.get(place, _NOTHING)

    def learn(self, place: GroupVersion, learnt: Learnt) -> None:
        """Note what a server says; of no interest when the group version is served here by now."""
        if place in self.remotes and self.learnt(place) != learnt:
            self._learnt[place] = learnt
            self.generation += 1

    def _apply(self, change: Change) -> None:
        self._put(change.entry.key.name, None if change.type == "DELETED" else change.entry.decode())

    def _put(self, name: str, obj: Obj | None) -> None:
        place = group_version_of(name)
        remote = remote_of(obj) if obj is not None else None
        spec = obj["spec"] if obj is not None else None
        priority = Priority(spec["groupPriorityMinimum"], spec["versionPriority"]) if spec is not None else None
        before = self.remotes.get(place)
        if (remote, priority) == (before, self.priorities.get(place)):
            return
        self.generation += 1
        _set(self.remotes, place, remote)
        _set(self.priorities, place, priority)
        self._registry.set_elsewhere(*place, remote is not None)
        if remote is None:
            self._learnt.pop(place, None)
        if _reached(remote) != _reached(before):
            self.changed(name)


def _reached(remote: RemoteApi | None) -> RemoteApi | None:
    """What matters of it to who wants to reach it."""
    return remote._replace(available=False) if remote is not None else None


def _set(kept: dict[GroupVersion, _T], place: GroupVersion, value: _T | None) -> None:
    if value is None:
        kept.pop(place, None)
    else:
        kept[place] = value
