"""What the gateway serves."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Mount

from skerry.platform.base.capability import Context
from skerry.platform.identity.gateway.asking import PREFIX
from skerry.platform.identity.gateway.gateway import Gateway


def gateway_routes(context: Context) -> Sequence[BaseRoute]:
    """For the platform's web server."""
    return [Mount(PREFIX, app=Gateway(context))]
