"""`skerry users disable` and `skerry users enable`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.errors import CommandFailed

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@click.command()
@click.argument("username")
@on_cluster
def disable(cluster: Cluster, username: str) -> None:
    """End all sessions of a person, programs' included, and allow no new one.

    \b
    Example:
      skerry users disable anna
    """
    cluster.run(lambda client, _: _set(client, username, disabled=True))
    click.echo(f"{username} is disabled: all sessions end now")


@click.command()
@click.argument("username")
@on_cluster
def enable(cluster: Cluster, username: str) -> None:
    """Let a person sign in again.

    \b
    Example:
      skerry users enable anna
    """
    cluster.run(lambda client, _: _set(client, username, disabled=False))
    click.echo(f"{username} may sign in again")


async def _set(client: HttpClient, username: str, *, disabled: bool) -> None:
    from skerry.kube.errors import NotFound
    from skerry.platform.identity.naming import object_name
    from skerry.platform.identity.types import USERS

    try:
        await client.patch(USERS, object_name(username), {"spec": {"disabled": disabled}})
    except NotFound:
        raise CommandFailed(f"there is no user {username} (skerry users ls shows all)") from None
