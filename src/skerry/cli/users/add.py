"""`skerry users add`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.users.linking import password_link
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@click.command()
@click.argument("username")
@click.option("--name", default="", help="As others see it.")
@click.option("--email", default="")
@click.option("--operator", is_flag=True, help="May do everything.")
@on_cluster
def add(cluster: Cluster, username: str, name: str, email: str, operator: bool) -> None:
    """Add an account with a password kept by the platform; print the link where the person sets it.

    \b
    Examples:
      skerry users add anna --name "Anna Berg" --email anna@uni.example
      skerry users add root-of-all --operator
    """
    told = {"displayName": name, "email": email}
    spec = {"username": username, "provider": "local", **{key: value for key, value in told.items() if value}}
    link = cluster.run(lambda client, _: _add(client, spec, operator=operator))
    click.echo(f"{username} is added. Whoever opens this link, once and within a day, sets the password:\n  {link}")


async def _add(client: HttpClient, spec: Obj, *, operator: bool) -> str:
    from skerry.kube.errors import AlreadyExists
    from skerry.platform.identity.naming import object_name
    from skerry.platform.identity.types import OPERATORS, USERS

    username = spec["username"]
    metadata = {"name": object_name(username)}
    try:
        await client.create(
            USERS, {"apiVersion": USERS.api_version, "kind": "User", "metadata": metadata, "spec": spec}
        )
    except AlreadyExists:
        raise CommandFailed(
            f"there is a user {username} already (a new password: skerry users link {username})"
        ) from None
    if operator:
        await _put_into(client, OPERATORS, username)
    return await password_link(client, username)


async def _put_into(client: HttpClient, group: str, username: str) -> None:
    from skerry.kube.errors import NotFound
    from skerry.platform.identity.naming import object_name
    from skerry.platform.identity.types import GROUPS

    name = object_name(group)
    try:
        found = await client.get(GROUPS, name)
    except NotFound:
        spec: Obj = {"name": group, "members": [username]}
        whole = {"apiVersion": GROUPS.api_version, "kind": "Group", "metadata": {"name": name}, "spec": spec}
        await client.create(GROUPS, whole)
        return
    members = sorted({*found["spec"].get("members", ()), username})
    await client.update(GROUPS, {**found, "spec": {**found["spec"], "members": members}})
