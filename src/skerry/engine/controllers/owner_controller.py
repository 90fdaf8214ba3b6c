"""What the controllers of workloads share: a cache that lags behind our own writes is waited for.

One that acted on a cache older than its writes would make a pod twice. Neighbours: `writing.Written`, which
knows what was written, and `kube.controller`, whose `reconcile` is taken here; subclasses implement `sync`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol, TypeVar

from skerry.engine.controllers.context import Context
from skerry.kube.controller import Controller
from skerry.kube.objects import Obj, Resource, split_key

LAGGING = 0.5  # seconds until a cache that lags is looked at again; its own events nearly always come first


class Writes(Protocol):
    """What remembers, by owner, that something was written."""

    def seen(self, key: str) -> bool:
        """Whether the cache shows all that was written for the owner."""
        ...

    def forget(self, key: str) -> None:
        """The owner is gone."""
        ...


W = TypeVar("W", bound=Writes)


class OwnerController(Controller):
    """Keys are those of objects that own others."""

    def __init__(self, context: Context, owners: Resource) -> None:
        super().__init__()
        self._client = context.client
        self._clock = context.clock
        self._owners = context.informers.of(owners)
        self._writes: list[Writes] = []

    def waits_for(self, writes: W) -> W:
        """Have `sync` called only when the cache shows these writes."""
        self._writes.append(writes)
        return writes

    async def reconcile(self, key: str) -> float | None:
        """Look at an owner that is there, once the caches show what was done for it."""
        namespace, name = split_key(key)
        owner = self._owners.get(name, namespace)
        if owner is None:
            self.forget(key)
            return None
        if not all(one.seen(key) for one in self._writes):
            return LAGGING
        return await self.sync(key, owner)

    @abstractmethod
    async def sync(self, key: str, owner: Obj) -> float | None:
        """Bring an owner closer to what it wants. Returns seconds until it must be looked at again."""

    def forget(self, key: str) -> None:
        """The owner is gone, or needs no more attention."""
        for one in self._writes:
            one.forget(key)
