"""`watch`: a list's changes as they commit, filtered by the selectors, with bookmarks.

Without a resourceVersion (or "0", or with sendInitialEvents) the stream begins with the collection as ADDED events.
Invariant: a bookmark's revision is only sent when everything up to it was. A client that does not read is cut off
by the store's bound on a watcher. Source: Kubernetes' "API concepts" and `apiserver/pkg/storage/cacher`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import orjson

from skerry.engine.api.backend import Backend
from skerry.engine.api.converting import all_served, changes_served
from skerry.engine.api.options import ListOptions, list_options
from skerry.engine.api.request import Request, Target
from skerry.engine.api.response import Event, Response, WatchEnded, Watching
from skerry.engine.api.revisions import too_large, too_old
from skerry.engine.api.selection import Selection, select
from skerry.engine.store.contract import (
    Change,
    Compacted,
    Entry,
    FutureRevision,
    Store,
    StoreClosed,
    Watch,
    WatchOverflow,
)
from skerry.kube.errors import ServiceUnavailable, StatusError

BOOKMARK_EVERY = 60.0
"""Seconds without an event after which a bookmark is sent."""
_LONGEST = (1800, 3600)
"""Seconds a watch lasts when the client does not say: spread, so that clients do not all come back at once."""

_SHUTTING_DOWN = "the server is shutting down"


async def watch(backend: Backend, request: Request) -> Response:
    """Open a watch on the collection named. Raises BadRequest, Invalid; errors of history come as the first read."""
    target, options = request.what, list_options(request.query)
    selection = select(target.kind, options.label_selector, options.field_selector)
    if target.name:
        selection = selection.named(target.name)
    timeout = options.timeout or random.randint(*_LONGEST)  # noqa: S311  # spread, not secrecy
    stream = Stream(backend.store, target, selection, options)
    if target.kind.conversion is not None:
        stream.on_close = backend.registry.until_retired(target.kind, stream.retire)
    return Watching(target.kind, stream, float(timeout))


class Stream:
    """An open watch, an `EventStream`. `next` gives batches for ever; `close` ends it."""

    def __init__(self, store: Store, target: Target, selection: Selection, options: ListOptions) -> None:
        self._store = store
        self._target = target
        self._kind = target.kind
        self._selection = selection
        self._options = options
        self._bookmarks = options.bookmarks
        self._first: Sequence[Entry] = ()
        self._first_end: Event | None = None
        self._feed: Watch | None = None
        self._error: StatusError | None = None
        self._retired = False
        self._given = 0
        """The revision of the last change given, or where the stream began."""
        self.on_close: Callable[[], None] | None = None
        self.alike: Hashable = None
        if target.kind.conversion is None:  # a stream of converted objects ends when its kind changes
            what = (target.kind.resource, target.namespace, target.name)
            self.alike = (what, options.label_selector, options.field_selector, options.bookmarks)
        self._open(target, options)

    def _open(self, target: Target, options: ListOptions) -> None:
        """List and watch in one turn of the loop, so that nothing falls between them."""
        resource, namespace = target.kind.stored_as, target.namespace or None
        since = options.resource_version or 0
        initial = since == 0 if options.initial_events is None else options.initial_events
        if initial:
            if since > self._store.revision:
                self._error = too_large(since, self._store.revision)
                return
            since = self._store.revision
            self._first = self._store.list(resource, namespace)
            if options.initial_events and options.bookmarks:
                self._first_end = Event("BOOKMARK", None, since, initial_events_end=True)
        elif since == 0:
            since = self._store.revision
        self._given = since
        try:
            self._feed = self._store.watch(resource, namespace, since=since)
        except Compacted as error:
            self._error = too_old(since, error.oldest)
        except FutureRevision:
            self._error = too_large(since, self._store.revision)
        except StoreClosed:
            self._error = ServiceUnavailable(_SHUTTING_DOWN)

    @property
    def reached(self) -> int:
        """As in `EventStream`."""
        return self._store.revision if self._feed is not None and self._feed.caught_up else self._given

    def again(self, since: int) -> Stream:
        """As in `EventStream`."""
        options = replace(self._options, resource_version=since, initial_events=False)
        return Stream(self._store, self._target, self._selection, options)

    async def _initial(self) -> list[Event]:
        """The collection as it was when the watch was opened; once."""
        first, end = self._first, self._first_end
        self._first, self._first_end = (), None
        entries = await all_served(self._kind, first)
        events = [Event("ADDED", entry, entry.revision) for entry in entries if self._selection.matches(entry)]
        return [*events, end] if end is not None else events

    async def next(self) -> Sequence[Event]:
        """The next batch, possibly a single bookmark; waits. Raises Expired when the stream cannot go on."""
        if (self._first or self._first_end is not None) and (first := await self._initial()):
            return first
        if self._feed is None:
            raise self._error or too_old(0, self._store.oldest)
        while True:
            try:
                changes = await self._feed.next(BOOKMARK_EVERY)
            except WatchOverflow as error:
                raise too_old(self._store.oldest, self._store.revision) from error
            except StoreClosed as error:
                if self._retired:
                    raise WatchEnded("the definition of what is watched has changed") from error
                raise ServiceUnavailable(_SHUTTING_DOWN) from error
            if events := await (self._filtered(changes) if changes else self.bookmark()):
                return events

    async def bookmark(self) -> Sequence[Event]:
        """A bookmark at the newest revision, or the events up to it not yet sent; [] if not wanted."""
        if not self._bookmarks or self._feed is None:
            return []
        reached = self._store.revision
        try:
            async with asyncio.timeout(0):
                changes = await self._feed.next()
        except TimeoutError:
            return [Event("BOOKMARK", None, reached)]
        except (WatchOverflow, StoreClosed):
            return []
        return await self._filtered(changes)

    def retire(self) -> None:
        """End it because its kind has changed."""
        self._retired = True
        if self._feed is not None:
            self._feed.close()

    def close(self) -> None:
        """End it; harmless twice."""
        if self.on_close is not None:
            self.on_close()
        if self._feed is not None:
            self._feed.close()

    async def _filtered(self, changes: Sequence[Change]) -> list[Event]:
        self._given = changes[-1].entry.revision
        everything = self._selection.everything
        changes = await changes_served(self._kind, changes, previous=not everything)
        if everything:
            return [Event(change.type, change.entry, change.entry.revision) for change in changes]
        found = (filtered(change, self._selection) for change in changes)
        return [event for event in found if event is not None]


def filtered(change: Change, selection: Selection) -> Event | None:
    """How a selecting watcher sees a change: entering the selection is ADDED, leaving it DELETED. None: not at all."""
    before = change.previous is not None and selection.matches(change.previous, keep=True)
    after = change.type != "DELETED" and selection.matches(change.entry, keep=True)
    if after:
        return Event("MODIFIED" if before else "ADDED", change.entry, change.entry.revision)
    if not before:
        return None
    assert change.previous is not None
    last = change.entry if change.type == "DELETED" else _restamped(change.previous, change.entry.revision)
    return Event("DELETED", last, change.entry.revision)


def _restamped(entry: Entry, revision: int) -> Entry:
    """The last state inside the selection, at the revision at which it left."""
    obj = entry.decode()
    obj["metadata"]["resourceVersion"] = str(revision)
    return Entry(entry.key, revision, orjson.dumps(obj))
