"""What is used of quotas right now: the store's objects, and the writes that are admitted but not yet in the store.

Looking and holding happen in one step of the event loop, so concurrent writers cannot overshoot. A held write counts
until the store shows it or it has failed. Sums are kept per namespace and resource and brought up to date by comparing
states, so that a look costs little more than listing the namespace's entries. Neighbours: `engine.quota` (what one
object uses), `plugin`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from skerry.engine.store.contract import Entry, Key, Store
from skerry.kube.clock import Clock
from skerry.kube.objects import Obj
from skerry.kube.quota.amounts import Amount, Amounts, added, pieces, reduced
from skerry.kube.quota.scopes import Scope, within
from skerry.kube.quota.usage import MEASURED, given_up_at, usage

Scopes = tuple[Scope, ...]


class Held(NamedTuple):
    """A write on its way: what it adds, and the revision of the object before it (0: a new object)."""

    key: Key
    before: int
    obj: Obj
    adds: Amounts


class Ledger:
    """The usage of all namespaces that have quotas."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._tables: dict[tuple[str, str], _Table] = {}
        self._held: dict[tuple[str, str], dict[int, Held]] = {}
        self._releases: set[asyncio.Task[None]] = set()

    def used(self, resource: str, namespace: str, scopes: Scopes, but: int) -> Amounts:
        """What objects of a resource use within scopes; without the write held as `but`."""
        coming = [one for owner, one in self._coming(resource, namespace) if owner != but]
        if resource not in MEASURED:
            number = pieces(self._store.count(resource, namespace) + len(coming))
            return {f"count/{resource}": number, resource: number} if not scopes else {}
        table = self._tables.get((resource, namespace)) or self._new_table(resource, namespace)
        table.refresh(self._store.list(resource, namespace), self._clock.now())
        total = table.total(scopes)
        for one in coming:
            if within(scopes, resource, one.obj):
                total = added(total, one.adds)
        return total

    def hold(self, owner: int, held: Held) -> None:
        """Count a write from now on; again for the same owner: in place of what was held."""
        self._held.setdefault((held.key.resource, held.key.namespace), {})[owner] = held

    def release(self, owner: int, resource: str, namespace: str) -> None:
        """The write is over. One that was cancelled may still reach the store: it counts until that is known."""
        held = self._held.get((resource, namespace), {}).get(owner)
        if held is None:
            return
        if _revision(self._store.get(held.key)) == held.before:
            task = asyncio.get_running_loop().create_task(self._release_later(owner, held.key))
            self._releases.add(task)
            task.add_done_callback(self._releases.discard)
        else:
            self._drop(owner, held.key)

    def _new_table(self, resource: str, namespace: str) -> _Table:
        """Make room first: namespaces that have no quotas any more need none."""
        for place in [place for place in self._tables if not self._store.count("resourcequotas", place[1])]:
            del self._tables[place]
        table = self._tables[resource, namespace] = _Table(resource)
        return table

    async def _release_later(self, owner: int, key: Key) -> None:
        try:
            await self._store.settled(key)
        finally:
            self._drop(owner, key)

    def _drop(self, owner: int, key: Key) -> None:
        place = (key.resource, key.namespace)
        owners = self._held.get(place, {})
        owners.pop(owner, None)
        if not owners:
            self._held.pop(place, None)

    def _coming(self, resource: str, namespace: str) -> Iterator[tuple[int, Held]]:
        for owner, one in self._held.get((resource, namespace), {}).items():
            if _revision(self._store.get(one.key)) == one.before:
                yield owner, one


class _Counted(NamedTuple):
    obj: Obj
    usage: Amounts


class _Table:
    """The objects of one resource in one namespace, what each uses, and sums by scopes."""

    def __init__(self, resource: str) -> None:
        self._resource = resource
        self._entries: set[Entry] = set()
        """The states taken over: a state is one object in the store, so sets of them compare at the speed of C."""
        self._objects: dict[str, _Counted] = {}
        self._totals: dict[Scopes, dict[str, Amount]] = {}
        self._leaving: set[str] = set()
        """Pods that stop counting when their time is over, whether or not anything changes."""

    def refresh(self, entries: Sequence[Entry], now: datetime) -> None:
        """Take over what changed."""
        present = set(entries)
        for gone in self._entries - present:
            self._put(gone.key.name, None)
        for entry in present - self._entries:
            self._put(entry.key.name, _counted(self._resource, entry, now))
        self._entries = present
        for name in tuple(self._leaving):
            known = self._objects[name]
            self._put(name, known._replace(usage=usage(self._resource, known.obj, now)))

    def total(self, scopes: Scopes) -> dict[str, Amount]:
        """The sum of what is within scopes."""
        if scopes not in self._totals:
            self._totals[scopes] = {}
            for each in self._objects.values():
                self._shift(scopes, None, each)
        return self._totals[scopes]

    def _put(self, name: str, new: _Counted | None) -> None:
        old = self._objects.pop(name, None)
        self._leaving.discard(name)
        if new is not None:
            self._objects[name] = new
            if self._resource == "pods" and "pods" in new.usage and given_up_at(new.obj) is not None:
                self._leaving.add(name)
        for scopes in self._totals:
            self._shift(scopes, old, new)

    def _shift(self, scopes: Scopes, old: _Counted | None, new: _Counted | None) -> None:
        total = self._totals[scopes]
        if old is not None and within(scopes, self._resource, old.obj):
            total = reduced(total, old.usage)
        if new is not None and within(scopes, self._resource, new.obj):
            total = added(total, new.usage)
        self._totals[scopes] = total


def _counted(resource: str, entry: Entry, now: datetime) -> _Counted:
    obj = entry.shared()
    return _Counted(obj, usage(resource, obj, now))


def _revision(entry: Entry | None) -> int:
    return entry.revision if entry is not None else 0
