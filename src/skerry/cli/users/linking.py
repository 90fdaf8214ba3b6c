"""A one-time link to the platform that a cluster announces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.cli.errors import CommandFailed
from skerry.kube.resources import CONFIG_MAPS

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


async def password_link(client: HttpClient, username: str) -> str:
    """The address where this person sets a password. Raises CommandFailed, StatusError."""
    from skerry.kube.clock import SystemClock
    from skerry.platform.identity.local.links import make_link

    return await make_link(client, SystemClock(), await _platform_url(client), "Password", username)


async def _platform_url(client: HttpClient) -> str:
    from skerry.kube.errors import NotFound

    try:
        announced = await client.get(CONFIG_MAPS, "skerry-platform", "kube-public")
    except NotFound:
        raise CommandFailed("the platform has never run on this cluster (skerry up starts it)") from None
    return str(announced["data"]["url"])
