"""What is used of quotas right now: the store's objects, and the writes that are admitted but not yet in the store.

Looking and holding happen in one step of the event loop, so concurrent writers cannot overshoot. A held write counts
until the store shows it or it has failed. Sums are kept per namespace and resource and brought up to date by comparing
states, so that a look costs little more than listing the namespace's entries. Neighbours: `kube.quota` (what objects
use, sums of it), `plugin`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from skerry.engine.store.contract import Entry, Key, Store
from skerry.kube.clock import Clock
from skerry.kube.objects import Obj
from skerry.kube.quota.amounts import Amounts, added, pieces
from skerry.kube.quota.scopes import within
from skerry.kube.quota.sums import Scopes, Sums
from skerry.kube.quota.usage import MEASURED


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
        now = self._clock.now()
        table.refresh(self._store.list(resource, namespace), now)
        total = table.sums.total(scopes, now)
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


class _Table:
    """The objects of one resource in one namespace, as the store has them."""

    def __init__(self, resource: str) -> None:
        self.sums = Sums(resource)
        self._entries: set[Entry] = set()
        """The states taken over: a state is one object in the store, so sets of them compare at the speed of C."""

    def refresh(self, entries: Sequence[Entry], now: datetime) -> None:
        """Take over what changed."""
        present = set(entries)
        for gone in self._entries - present:
            self.sums.put(gone.key.name, None, now)
        for entry in present - self._entries:
            self.sums.put(entry.key.name, entry.shared(), now)
        self._entries = present


def _revision(entry: Entry | None) -> int:
    return entry.revision if entry is not None else 0
