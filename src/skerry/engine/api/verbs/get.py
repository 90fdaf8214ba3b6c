"""`get`: one object, as its bytes stand in the store."""

from __future__ import annotations

from skerry.engine.api.backend import Backend
from skerry.engine.api.converting import served
from skerry.engine.api.request import Request, Target
from skerry.engine.api.response import Response, Stored
from skerry.engine.api.revisions import check_reached
from skerry.engine.store.contract import Entry
from skerry.kube.errors import not_found


async def get(backend: Backend, request: Request) -> Response:
    """The object named. Raises NotFound, Timeout (a resourceVersion that has not happened)."""
    target = request.what
    if request.query:
        check_reached(backend.store, request.query.get("resourceVersion", ""))
    return Stored(target.kind, await served(target.kind, find(backend, target)))


def find(backend: Backend, target: Target) -> Entry:
    """The stored state of what is named. Raises NotFound."""
    entry = backend.store.get(target.key)
    if entry is None:
        raise not_found(target.group_resource, target.name)
    return entry
