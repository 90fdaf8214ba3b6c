"""`list`: a collection or a chunk of it, consistent at one revision across chunks.

Source of the semantics: Kubernetes' "API concepts", resourceVersionMatch and `apiserver/pkg/storage/etcd3/store.go`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from skerry.engine.api import continuation
from skerry.engine.api.backend import Backend
from skerry.engine.api.continuation import INCONSISTENT, Position
from skerry.engine.api.converting import all_served
from skerry.engine.api.options import ListOptions, list_options
from skerry.engine.api.request import Request, Target
from skerry.engine.api.response import Listing, Response
from skerry.engine.api.revisions import too_large, too_old
from skerry.engine.api.selection import Selection, select
from skerry.engine.store.contract import Compacted, Entry, FutureRevision, Key, Store
from skerry.kube.errors import BadRequest, Expired
from skerry.kube.objects import Obj

_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


class ExpiredToken(Expired):
    """410 for a continue token; its Status carries a token to go on inconsistently."""

    def __init__(self, token: str) -> None:
        super().__init__(_EXPIRED)
        self.token = token

    def to_json(self) -> Obj:
        """The Status, with the new token where a list has it."""
        return {**super().to_json(), "metadata": {"continue": self.token}}


async def list_objects(backend: Backend, request: Request) -> Response:
    """The collection named. Raises Expired, Timeout, BadRequest, Invalid."""
    return await find_all(backend, request.what, list_options(request.query))


async def find_all(backend: Backend, target: Target, options: ListOptions) -> Listing:
    """What the options select of a collection."""
    store, now = backend.store, backend.clock.now().timestamp()
    position = _start(options, store)
    if position.has_expired(now):
        raise _expired(position)
    selection = select(target.kind, options.label_selector, options.field_selector)
    entries = _read(store, target, position, selection)
    begun = position if position.revision > 0 else Position(store.revision, "", "", now)
    at = begun.revision
    if selection.fields is not None:  # what fields say depends on the version
        entries = await all_served(target.kind, entries)
    listing = (
        _chunk(target, entries, selection, options.limit, begun)
        if options.limit
        else Listing(target.kind, _matching(entries, selection), at)
    )
    if target.kind.conversion is None or selection.fields is not None:
        return listing
    return replace(listing, entries=await all_served(target.kind, listing.entries))


def _start(options: ListOptions, store: Store) -> Position:
    """Where to begin: revision 0 means the newest state."""
    if options.token:
        if options.resource_version not in (None, 0):
            raise BadRequest("specifying resource version is not allowed when using continue")
        return continuation.decode(options.token)
    asked = options.resource_version or 0
    if asked > store.revision:
        raise too_large(asked, store.revision)
    exact = options.match == "Exact"
    return Position(asked if exact else 0, "", "")


def _read(store: Store, target: Target, position: Position, selection: Selection) -> Sequence[Entry]:
    resource = target.kind.stored_as
    if selection.name is not None and target.namespace and position.revision <= 0 and not position.name:
        entry = store.get(Key(resource, target.namespace, selection.name))
        return [entry] if entry else []
    after = Key(resource, position.namespace, position.name) if position.name else None
    try:
        return store.list(resource, target.namespace or None, after=after, at=max(position.revision, 0))
    except Compacted as error:
        if after is None:
            raise too_old(position.revision, error.oldest) from error
        raise _expired(position) from error
    except FutureRevision as error:
        raise too_large(position.revision, store.revision) from error


def _expired(position: Position) -> ExpiredToken:
    return ExpiredToken(continuation.encode(position._replace(revision=INCONSISTENT)))


def _matching(entries: Sequence[Entry], selection: Selection) -> Sequence[Entry]:
    return entries if selection.everything else [entry for entry in entries if selection.matches(entry)]


def _chunk(target: Target, entries: Sequence[Entry], selection: Selection, limit: int, begun: Position) -> Listing:
    """The first `limit` matches, and a token when something follows them."""
    taken: list[Entry] = []
    for count, entry in enumerate(entries, 1):
        if selection.matches(entry):
            taken.append(entry)
        if len(taken) == limit and count < len(entries):
            token = continuation.encode(begun._replace(namespace=entry.key.namespace, name=entry.key.name))
            remaining = len(entries) - count if selection.everything else None
            return Listing(target.kind, taken, begun.revision, token, remaining)
    return Listing(target.kind, taken, begun.revision)
