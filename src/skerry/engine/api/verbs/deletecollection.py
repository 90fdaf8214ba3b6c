"""`deletecollection`: delete all that the selectors choose; what is gone meanwhile is nobody's loss."""

from __future__ import annotations

import asyncio

from skerry.engine.api.backend import Backend
from skerry.engine.api.bodies import read_delete_options
from skerry.engine.api.options import DeleteOptions, delete_options, list_options
from skerry.engine.api.request import Request, Target
from skerry.engine.api.response import Listing, Response
from skerry.engine.api.verbs.delete import delete_one
from skerry.engine.api.verbs.listing import find_all
from skerry.engine.store.contract import Entry
from skerry.kube.errors import NotFound

_AT_ONCE = 64
"""Deletions on their way together: they share the store's group commits."""


async def delete_collection(backend: Backend, request: Request) -> Response:
    """Delete a collection; answers with the list of what was deleted or marked."""
    options = delete_options(request.query, await read_delete_options(request))
    chosen = await find_all(backend, request.what, list_options(request.query))
    deleted: list[Entry] = []
    for start in range(0, len(chosen.entries), _AT_ONCE):
        batch = chosen.entries[start : start + _AT_ONCE]
        done = await asyncio.gather(*(_delete(backend, request, entry, options) for entry in batch))
        deleted += [entry for entry in done if entry is not None]
    return Listing(chosen.kind, deleted, backend.store.revision)


async def _delete(backend: Backend, request: Request, entry: Entry, options: DeleteOptions) -> Entry | None:
    target = Target(request.what.kind, entry.key.namespace, entry.key.name)
    try:
        return (await delete_one(backend, request, target, options))[0]
    except NotFound:
        return None
