"""What all stores share: the order of writes, and reads of the committed state. Durability is `_hand_over`'s alone.

A write is ordered on the event loop: checked against the committed state plus the writes pending before it, given the
next revision, encoded, queued. At the end of the loop's turn all queued writes are handed over together, so that
whatever arrived in one turn shares one commit. `_committed` and `_failed` come back in the same order.

Invariants
- `_inflight` holds every write not yet answered, in revision order; `_pending` the newest of them per key.
- A failed commit fails every write ordered after it too (they may build on it), and the revisions are given again.
"""

from __future__ import annotations

import asyncio
import builtins
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence

from skerry.engine.store.broadcast import Broadcaster
from skerry.engine.store.contract import (
    Change,
    Compacted,
    Encode,
    Entry,
    FutureRevision,
    Key,
    KeyExists,
    KeyMissing,
    RevisionConflict,
    StoreClosed,
    StoreFull,
    Watch,
)
from skerry.engine.store.history import History
from skerry.engine.store.limits import Limits
from skerry.engine.store.reserve import WriteType
from skerry.engine.store.state import State
from skerry.kube.objects import Obj

FIRST_REVISION = 1
"""The revision of a store nothing was written to."""


def _nobody() -> None:
    """Who listens while nobody does."""


class Write:
    """One ordered write on its way to being durable."""

    __slots__ = ("done", "entry", "settling", "type")

    def __init__(self, type: WriteType, entry: Entry, done: asyncio.Future[Entry]) -> None:
        self.type = type
        self.entry = entry
        self.done = done
        self.settling: list[asyncio.Future[None]] = []
        """Who waits in `settled`; not `done`, which its owner may cancel."""

    def answer(self, error: Exception | None = None) -> None:
        """Tell the writer and those waiting for the key to settle."""
        if not self.done.done():
            if error is None:
                self.done.set_result(self.entry)
            else:
                self.done.set_exception(error)
        for waiter in self.settling:
            if not waiter.done():
                waiter.set_result(None)


class OrderedStore(ABC):
    """The contract's `Store` but for where commits go."""

    def __init__(self, limits: Limits, state: State, history: History, revision: int) -> None:
        self._state = state
        self._history = history
        self._revision = revision
        self._last = revision
        self._broadcaster = Broadcaster(limits.watch_buffer, limits.watch_bytes)
        self._unsent: list[Write] = []
        self._inflight: deque[Write] = deque()
        self._pending: dict[Key, Write] = {}
        self._closing: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._trouble = ""
        self.on_trouble: Callable[[], None] = _nobody
        """Called when `trouble` begins or ends."""

    @property
    def revision(self) -> int:
        """The latest committed revision."""
        return self._revision

    @property
    def trouble(self) -> str:
        """Why most writes are refused, "" while they are not."""
        return self._trouble

    @property
    def oldest(self) -> int:
        """The oldest revision a watch or a list may still start from."""
        return self._history.oldest

    def get(self, key: Key) -> Entry | None:
        """The committed state, or None."""
        return self._state.get(key)

    def count(self, resource: str, namespace: str | None = None) -> int:
        """How many entries `list` would give now."""
        return self._state.count(resource, namespace)

    def list(
        self, resource: str, namespace: str | None = None, *, after: Key | None = None, limit: int = 0, at: int = 0
    ) -> Sequence[Entry]:
        """As in the contract."""
        if at == 0 or at == self._revision:
            return self._state.list(resource, namespace, after, limit)
        self._check_kept(at)
        then = self._history.undo(resource, namespace, at)
        # Undoing removes at most len(then) of the present entries, so that many more than `limit` always suffice.
        now = self._state.list(resource, namespace, after, limit + len(then) if limit else 0)
        if not then:
            return now
        found = [entry for entry in now if entry.key not in then]
        found += [entry for key, entry in then.items() if entry is not None and (after is None or key > after)]
        found.sort(key=lambda entry: entry.key)
        return found[:limit] if limit else found

    def watch(self, resource: str, namespace: str | None = None, *, since: int) -> Watch:
        """As in the contract."""
        if self._closing is not None:
            raise StoreClosed("the store is closed")
        self._check_kept(since)
        return self._broadcaster.subscribe(resource, namespace, self._history.since(resource, since, namespace))

    async def create(self, key: Key, encode: Encode, given: Obj | None = None) -> Entry:
        """As in the contract."""
        self._expect_none(key)
        if self._trouble:
            await self._admit("ADDED", key)
            self._expect_none(key)
        return await self._order("ADDED", key, encode, given)

    async def update(self, key: Key, encode: Encode, expected: int, given: Obj | None = None) -> Entry:
        """As in the contract."""
        known = self._expect(key, expected).key
        if self._trouble:
            await self._admit("MODIFIED", key)
            known = self._expect(key, expected).key
        return await self._order("MODIFIED", known, encode, given)

    async def delete(self, key: Key, encode: Encode, expected: int, given: Obj | None = None) -> Entry:
        """As in the contract."""
        return await self._order("DELETED", self._expect(key, expected).key, encode, given)

    async def settled(self, key: Key) -> None:
        """As in the contract."""
        while (write := self._pending.get(key)) is not None:
            waiter = self._loop.create_future()
            write.settling.append(waiter)
            await waiter

    async def close(self) -> None:
        """As in the contract."""
        if self._closing is not None:
            await asyncio.shield(self._closing)
            return
        self._closing = self._loop.create_future()
        while self._inflight:
            await self.settled(self._inflight[-1].entry.key)
        self._broadcaster.close()
        try:
            await self._release()
        finally:
            self._closing.set_result(None)

    @abstractmethod
    def _hand_over(self, writes: builtins.list[Write]) -> None:
        """Make writes durable, in order, and call `_committed` or `_failed` on the loop."""

    @abstractmethod
    async def _admit(self, kind: WriteType, key: Key) -> None:
        """There is trouble: let a write be tried. Raises StoreFull."""

    @abstractmethod
    def _superseded(self, revisions: builtins.list[int]) -> None:
        """The states of these revisions left history: nobody will ask for them again."""

    @abstractmethod
    async def _release(self) -> None:
        """Give back what the store holds; nothing is in flight."""

    def _check_kept(self, revision: int) -> None:
        if revision > self._revision:
            raise FutureRevision(f"revision {revision} has not happened: the latest is {self._revision}")
        if revision < self._history.oldest:
            raise Compacted(self._history.oldest)

    def _newest(self, key: Key) -> Entry | None:
        """The state a write ordered now finds."""
        write = self._pending.get(key)
        if write is None:
            return self._state.get(key)
        return None if write.type == "DELETED" else write.entry

    def _expect_none(self, key: Key) -> None:
        if self._newest(key) is not None:
            raise KeyExists(f"{key} exists")

    def _expect(self, key: Key, expected: int) -> Entry:
        entry = self._newest(key)
        if entry is None:
            raise KeyMissing(f"{key} does not exist")
        if entry.revision != expected:
            raise RevisionConflict(f"{key} is at revision {entry.revision}, not {expected}")
        return entry

    def _order(self, type: WriteType, key: Key, encode: Encode, given: Obj | None) -> asyncio.Future[Entry]:
        if self._closing is not None:
            raise StoreClosed("the store is closed")
        revision = self._last + 1
        # Copied, because orjson's answers sit in buffers several times their size (8 KiB for 1 KiB), and these stay.
        value = bytes(memoryview(encode(revision)))
        entry = Entry(key, revision, value, given if self._broadcaster.is_watched(key.resource) else None)
        self._last = revision  # only now: an encoder that raises uses no revision
        write = Write(type, entry, self._loop.create_future())
        self._pending[key] = write
        self._inflight.append(write)
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(write)
        return write.done

    def _flush(self) -> None:
        if self._unsent:
            writes, self._unsent = self._unsent, []
            self._hand_over(writes)

    def _committed(self, writes: builtins.list[Write]) -> None:
        """The oldest in-flight writes are durable: show them, tell watchers, answer."""
        changes: list[Change] = []
        for write in writes:
            self._inflight.popleft()
            change = self._state.apply(write.type, write.entry)
            self._history.append(change)
            changes.append(change)
            if self._pending.get(write.entry.key) is write:
                del self._pending[write.entry.key]
        self._revision = writes[-1].entry.revision
        if dead := self._history.trim():
            self._superseded(dead)
        self._broadcaster.publish(changes)
        for write in writes:
            write.answer()

    def _set_trouble(self, reason: str) -> None:
        changed, self._trouble = bool(reason) != bool(self._trouble), reason
        if changed:
            self.on_trouble()

    def _failed(self, reason: str) -> None:
        """The oldest in-flight writes could not be made durable: undo the ordering of everything in flight."""
        failed = tuple(self._inflight)
        self._inflight.clear()
        self._pending.clear()
        self._unsent.clear()
        self._last = self._revision
        self._set_trouble(reason)
        for write in failed:
            write.answer(StoreFull(reason))
