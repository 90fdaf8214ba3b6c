"""`certificatesigningrequests/approval`: the decision on a request, and nothing else of it."""

from __future__ import annotations

from skerry.engine.api.backend import Backend
from skerry.engine.api.request import Request
from skerry.engine.api.response import Response
from skerry.engine.api.verbs.patch import patch_with
from skerry.engine.api.verbs.update import replace
from skerry.engine.api.writing import Prepare
from skerry.engine.schema.kinds.certificates.signing_request import SigningRequestStrategy


async def update_approval(backend: Backend, request: Request) -> Response:
    """Replace the conditions. Raises as `update`."""
    return await replace(backend, request, _prepare(request))


async def patch_approval(backend: Backend, request: Request) -> Response:
    """Patch the conditions. Raises as `patch`."""
    return await patch_with(backend, request, _prepare(request))


def _prepare(request: Request) -> Prepare:
    strategy = request.what.kind.strategy
    assert isinstance(strategy, SigningRequestStrategy)
    return strategy.prepare_approval
