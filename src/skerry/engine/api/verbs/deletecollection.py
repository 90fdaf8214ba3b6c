"""`deletecollection`: delete all that the selectors choose; what is gone meanwhile is nobody's loss."""

from __future__ import annotations

import contextlib

from skerry.engine.api.backend import Backend
from skerry.engine.api.bodies import read_loose
from skerry.engine.api.options import delete_options, list_options
from skerry.engine.api.request import Request, Target
from skerry.engine.api.response import Listing, Response
from skerry.engine.api.verbs.delete import delete_one
from skerry.engine.api.verbs.listing import find_all
from skerry.engine.store.contract import Entry
from skerry.kube.errors import NotFound


async def delete_collection(backend: Backend, request: Request) -> Response:
    """Delete a collection; answers with the list of what was deleted or marked."""
    options = delete_options(request.query, await read_loose(request))
    chosen = find_all(backend.store, request.what, list_options(request.query))
    deleted: list[Entry] = []
    for entry in chosen.entries:
        target = Target(request.what.kind, entry.key.namespace, entry.key.name)
        with contextlib.suppress(NotFound):
            deleted.append((await delete_one(backend, request, target, options))[0])
    return Listing(chosen.kind, deleted, backend.store.revision)
