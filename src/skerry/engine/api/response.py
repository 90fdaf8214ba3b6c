"""What a verb answers with, before anybody has encoded it. `http.encoding` makes bytes of it, `local` objects.

Stored objects stay encoded (`Entry`), so that get, list and watch join bytes and never encode again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import field
from typing import Literal, NamedTuple, Protocol, TypeAlias

from skerry.engine.api.streams.link import Link
from skerry.engine.schema.contract import Kind
from skerry.engine.store.contract import Entry
from skerry.kube.errors import Expired
from skerry.kube.objects import Obj
from skerry.kube.records import record


@record
class Stored:
    """An object as it is in the store."""

    kind: Kind
    entry: Entry
    code: int = 200


@record
class Computed:
    """An object that is not stored as such: Status, Scale, what a dry run would have stored. Shared: do not change."""

    obj: Obj
    code: int = 200
    kind: Kind | None = None
    """Its kind, when it can be shown as a table."""


@record
class Listing:
    """A collection, or a chunk of it. `remaining` None: not known (a selector is set) or nothing left."""

    kind: Kind
    entries: Sequence[Entry]
    revision: int
    next_token: str = ""
    remaining: int | None = None


class Event(NamedTuple):
    """One watch event. For BOOKMARK `entry` is None and `revision` says it all."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    entry: Entry | None
    revision: int
    initial_events_end: bool = False


class WatchEnded(Expired):
    """The kind watched has changed or gone: the stream ends in order, who watched asks again."""


class BrokenOff(ConnectionError):
    """Who answers in our stead has stopped in the middle. The client must not take what it has for the whole."""


class EventStream(Protocol):
    """Where a watch's events come from (`verbs.watching.Stream`)."""

    alike: Hashable
    """Streams of which this is equal have the same events from any revision on; None: like no other."""

    @property
    def reached(self) -> int:
        """The revision up to which all events have been given."""
        ...

    async def next(self) -> Sequence[Event]:
        """The next batch; waits. Raises StatusError when it cannot go on (410)."""
        ...

    async def bookmark(self) -> Sequence[Event]:
        """What to send before a stream ends in order: a bookmark if wanted, or events not yet sent."""
        ...

    def again(self, since: int) -> EventStream:
        """Another stream like this one, from a revision on."""
        ...

    def close(self) -> None:
        """End it; harmless twice."""
        ...


@record
class Watching:
    """An open watch. Whoever takes it must close its stream, and then call `over`."""

    kind: Kind
    stream: EventStream
    timeout: float
    """Seconds after which the server ends it."""
    over: Callable[[], None] = lambda: None


@record
class Raw:
    """Bytes with their type: plain paths, documents."""

    body: bytes
    content_type: str = "application/json"
    code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@record
class Streamed:
    """Bytes as they come, until the iterator ends (logs, what is proxied)."""

    chunks: AsyncIterator[bytes]
    content_type: str = "text/plain"
    code: int = 200
    headers: Sequence[tuple[str, str]] = ()

    async def close(self) -> None:
        """Read no more; harmless twice. Whoever takes it must call this."""
        if isinstance(self.chunks, AsyncGenerator):
            await self.chunks.aclose()


@record
class Upgraded:
    """A connection to a backend that has agreed to another protocol: bytes both ways from now on."""

    headers: Sequence[tuple[str, str]]
    """Of its 101."""
    begun: bytes
    """What it has said after that already."""
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@record
class Switched:
    """Agreement to another protocol that is spoken here (SPDY into a pod)."""

    headers: Sequence[tuple[str, str]]
    """Of the 101."""
    speak: Callable[[Link], Awaitable[None]]
    """Returns when it is over, or the client gone."""
    code: int = 101


Response: TypeAlias = Stored | Computed | Listing | Watching | Raw | Streamed | Upgraded | Switched
