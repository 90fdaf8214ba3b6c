"""`get`: one object, as its bytes stand in the store."""

from __future__ import annotations

from skerry.engine.api.backend import Backend, find
from skerry.engine.api.converting import served
from skerry.engine.api.request import Request
from skerry.engine.api.response import Response, Stored
from skerry.engine.api.revisions import check_reached


async def get(backend: Backend, request: Request) -> Response:
    """The object named. Raises NotFound, Timeout (a resourceVersion that has not happened)."""
    target = request.what
    if request.query:
        check_reached(backend.store, request.query.get("resourceVersion", ""))
    return Stored(target.kind, await served(target.kind, find(backend, target)))
