"""What the gateway serves: the API, programs' tokens, and whom to trust, for command lines that know a fingerprint."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from skerry.platform.base.capability import Context
from skerry.platform.identity.gateway.asking import PREFIX
from skerry.platform.identity.gateway.gateway import Gateway
from skerry.platform.identity.gateway.programs import Programs

AUTHORITY = "/identity/ca.crt"


def gateway_routes(context: Context) -> Sequence[BaseRoute]:
    """For the platform's web server."""

    async def authority(_: Request) -> Response:
        return Response(context.settings.ca, media_type="application/x-pem-file")

    return [Mount(PREFIX, app=Gateway(context)), *Programs(context).routes(), Route(AUTHORITY, authority)]
