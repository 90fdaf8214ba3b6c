"""`pods/ephemeralcontainers` and `pods/resize`: update and patch one part of a pod's spec, and nothing else of it.

Source: Kubernetes' `pkg/registry/core/pod/storage` (EphemeralContainersREST, ResizeREST); the rules are the kind's own.
"""

from __future__ import annotations

from skerry.engine.api.backend import Backend
from skerry.engine.api.request import Request
from skerry.engine.api.response import Response
from skerry.engine.api.verbs.patch import patch_with
from skerry.engine.api.verbs.update import replace
from skerry.engine.schema.kinds.core.pod import PodStrategy


async def update_ephemeral_containers(backend: Backend, request: Request) -> Response:
    """Replace the list. Raises as `update`."""
    strategy = _strategy(request)
    rules = strategy.prepare_ephemeral_containers, strategy.validate_ephemeral_containers
    return await replace(backend, request, *rules)


async def patch_ephemeral_containers(backend: Backend, request: Request) -> Response:
    """Patch the list. Raises as `patch`."""
    strategy = _strategy(request)
    rules = strategy.prepare_ephemeral_containers, strategy.validate_ephemeral_containers
    return await patch_with(backend, request, *rules)


async def update_resize(backend: Backend, request: Request) -> Response:
    """Replace the containers' resources. Raises as `update`."""
    strategy = _strategy(request)
    return await replace(backend, request, strategy.prepare_resize, strategy.validate_resize)


async def patch_resize(backend: Backend, request: Request) -> Response:
    """Patch the containers' resources. Raises as `patch`."""
    strategy = _strategy(request)
    return await patch_with(backend, request, strategy.prepare_resize, strategy.validate_resize)


def _strategy(request: Request) -> PodStrategy:
    strategy = request.what.kind.strategy
    assert isinstance(strategy, PodStrategy)
    return strategy
