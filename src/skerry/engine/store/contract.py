"""The store's contract. The API server is its only caller; SQLite and memory implement it, one set of tests holds both.

Invariants
- One global revision: every committed change has its own, rising by one, never reused, across restarts too.
- A write is acknowledged (its awaitable returns) only once it is durable; readers never see what is not durable.
- Readers and watchers see commits in revision order; a commit itself wakes the watchers, nothing polls.
- History is bounded: asking before its start raises `Compacted`. A watcher that does not keep up is cut off.
- All methods are called on the event loop's thread; reads are plain calls on memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

import orjson

from skerry.kube.objects import Obj
from skerry.kube.records import record


class Key(NamedTuple):
    """What names an object: version-free resource ("pods", "deployments.apps"), namespace ("" if none), name."""

    resource: str
    namespace: str
    name: str


class Entry:
    """One stored state of an object: its encoded JSON (resourceVersion included) at a revision. Immutable."""

    __slots__ = ("_decoded", "key", "revision", "value")

    def __init__(self, key: Key, revision: int, value: bytes, decoded: Obj | None = None) -> None:
        self.key = key
        self.revision = revision
        self.value = value
        self._decoded = decoded

    def decode(self) -> Obj:
        """A fresh private object each time; the caller may change it."""
        obj: Obj = orjson.loads(self.value)
        return obj

    def shared(self) -> Obj:
        """The object decoded once and kept while the entry lives; shared, never to be changed."""
        if self._decoded is None:
            self._decoded = orjson.loads(self.value)
        return self._decoded

    def forget(self) -> None:
        """Drop the decoded copy: the store's own call, for entries that only history still holds."""
        self._decoded = None


@record
class Change:
    """A committed change. `entry` is the new state; for DELETED the last state, stamped with the deletion's revision.
    `previous` is the state before (None for ADDED): selector watches need it to tell what left the selection."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    entry: Entry
    previous: Entry | None


Encode = Callable[[int], bytes]
"""Given the revision the write will have, the object's JSON with that resourceVersion. Called once, synchronously."""


class StoreError(Exception):
    """What a store refuses or fails at."""


class KeyExists(StoreError):
    """A create found the key taken (by a committed or an earlier pending write)."""


class KeyMissing(StoreError):
    """An update or delete found no such key."""


class RevisionConflict(StoreError):
    """The key is not at the expected revision. Read again after `Store.settled` and retry, or report a conflict."""


class Compacted(StoreError):
    """The asked-for revision is older than the history kept."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"revision is older than the oldest kept, {oldest}")
        self.oldest = oldest


class FutureRevision(StoreError):
    """The asked-for revision has not happened."""


class WatchOverflow(StoreError):
    """This watcher did not keep up and was cut off: list again."""


class StoreFull(StoreError):
    """The write could not be made durable (disk full, I/O error); nothing of it is visible. Reads go on."""


class StoreClosed(StoreError):
    """The store, or this watch, has been closed."""


class Watch(Protocol):
    """A stream of changes to one resource (all namespaces or one), in revision order, from a revision on.
    One task at a time reads it."""

    @property
    def caught_up(self) -> bool:
        """Whether all changes committed so far have been given; never again once it has ended."""
        ...

    async def next(self, idle: float = 0) -> Sequence[Change]:
        """The next one or more changes; waits, but for `idle` seconds only if that is not 0: then there are none. Loses
        nothing when cancelled. Raises WatchOverflow once cut off, StoreClosed once it or the store is closed."""
        ...

    def close(self) -> None:
        """Stop; harmless twice."""
        ...


class Store(Protocol):
    """Objects by key, at one global revision."""

    @property
    def revision(self) -> int:
        """The latest committed revision (at least 1, so that "0" keeps its Kubernetes meaning of "any")."""
        ...

    @property
    def oldest(self) -> int:
        """The oldest revision a watch or a list may still start from."""
        ...

    def get(self, key: Key) -> Entry | None:
        """The committed state, or None."""
        ...

    def list(
        self, resource: str, namespace: str | None = None, *, after: Key | None = None, limit: int = 0, at: int = 0
    ) -> Sequence[Entry]:
        """Entries ordered by (namespace, name), those past `after` only, at most `limit` (0: all), as they are now or
        as they were `at` a revision. Raises Compacted, FutureRevision."""
        ...

    def count(self, resource: str, namespace: str | None = None) -> int:
        """How many entries `list` would give now."""
        ...

    on_trouble: Callable[[], None]
    """Called when `trouble` begins or ends."""

    @property
    def trouble(self) -> str:
        """Why most writes are refused, "" while they are not."""
        ...

    async def create(self, key: Key, encode: Encode, given: Obj | None = None) -> Entry:
        """Add. Raises KeyExists, StoreFull, StoreClosed. Cancelling the caller does not undo the write (all writes).
        `given`: what `encode` encodes, not to be changed from then on; it saves watchers the decoding (all writes)."""
        ...

    async def update(self, key: Key, encode: Encode, expected: int, given: Obj | None = None) -> Entry:
        """Replace if at revision `expected`. Raises KeyMissing, RevisionConflict, StoreFull, StoreClosed."""
        ...

    async def delete(self, key: Key, encode: Encode, expected: int, given: Obj | None = None) -> Entry:
        """Remove if at revision `expected`; `encode` gives the last state for watchers. Raises as `update`."""
        ...

    async def settled(self, key: Key) -> None:
        """Return once no write to this key is pending: what `get` then says includes all writes ordered before."""
        ...

    def watch(self, resource: str, namespace: str | None = None, *, since: int) -> Watch:
        """Changes after revision `since`. Raises Compacted, FutureRevision, StoreClosed."""
        ...

    async def close(self) -> None:
        """Finish pending writes, end watches, release files. Harmless twice."""
        ...
