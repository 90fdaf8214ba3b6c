"""`/status`: update and patch what controllers observe, and nothing else of the object."""

from __future__ import annotations

from skerry.engine.api.backend import Backend
from skerry.engine.api.request import Request
from skerry.engine.api.response import Response
from skerry.engine.api.verbs.patch import patch_with
from skerry.engine.api.verbs.update import replace


async def update_status(backend: Backend, request: Request) -> Response:
    """Replace the status. Raises as `update`."""
    return await replace(backend, request, request.what.kind.strategy.prepare_status)


async def patch_status(backend: Backend, request: Request) -> Response:
    """Patch the status. Raises as `patch`."""
    return await patch_with(backend, request, request.what.kind.strategy.prepare_status)
