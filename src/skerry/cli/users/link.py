"""`skerry users link`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.users.linking import password_link

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@click.command()
@click.argument("username")
@on_cluster
def link(cluster: Cluster, username: str) -> None:
    """Print a link where a person sets a new password: forgotten, or locked out. Earlier links are void.

    \b
    Example:
      skerry users link anna
    """
    made = cluster.run(lambda client, _: _link(client, username))
    click.echo(f"Whoever opens this link, once and within a day, sets the password of {username}:\n  {made}")


async def _link(client: HttpClient, username: str) -> str:
    from skerry.kube.errors import NotFound
    from skerry.platform.identity.naming import object_name
    from skerry.platform.identity.types import USERS

    try:
        user = await client.get(USERS, object_name(username))
    except NotFound:
        raise CommandFailed(f"there is no user {username} (skerry users ls shows all)") from None
    provider = user["spec"].get("provider", "local")
    if provider != "local":
        raise CommandFailed(f"{username} signs in at {provider}: the password is set there")
    return await password_link(client, username)
