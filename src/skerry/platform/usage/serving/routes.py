"""GET /usage/metrics."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from skerry.kube.errors import StatusError
from skerry.platform.base.capability import Context
from skerry.platform.usage.projects import PROJECTS
from skerry.platform.usage.serving.guard import Refusal, refusal_of
from skerry.platform.usage.serving.metrics import exposition

log = logging.getLogger(__name__)

METRICS = "/usage/metrics"
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def usage_routes(context: Context) -> Sequence[BaseRoute]:
    """What is served."""
    projects = context.informers.of(PROJECTS)

    async def metrics(request: Request) -> Response:
        refusal = await _refusal(context, request.headers.get("authorization", ""))
        if refusal is not None:
            return PlainTextResponse(f"{refusal.message}\n", refusal.code)
        return Response(exposition(projects.list()), media_type=_CONTENT_TYPE)

    return [Route(METRICS, metrics, methods=["GET"])]


async def _refusal(context: Context, authorization: str) -> Refusal | None:
    try:
        return await refusal_of(context.client, authorization, METRICS)
    except (StatusError, OSError) as error:
        log.warning("%s: %s", METRICS, error)
        return Refusal(503, "the Kubernetes API does not say who may read this: try again")
