"""`skerry users ls`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.options import output_option
from skerry.cli.printing import print_document, table
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_HEADS = ("USERNAME", "NAME", "PROVIDER", "STATE", "GROUPS", "LAST LOGIN")


@click.command()
@output_option
@on_cluster
def ls(cluster: Cluster, output: str) -> None:
    """List people: where they sign in, what they are members of, when they last came.

    \b
    Examples:
      skerry users ls
      skerry users ls -o json
    """
    users = cluster.run(_read)
    if output != "table":
        print_document({"users": [user_facts(*one) for one in users]}, output)
    else:
        click.echo(table(_HEADS, [_row(user_facts(*one)) for one in users]) if users else "there are no users")


async def _read(client: HttpClient, _: str) -> Sequence[tuple[Obj, list[str]]]:
    """Users by name, each with the Groups that list them."""
    from skerry.platform.identity.types import GROUPS, USERS

    users = (await client.list(USERS)).items
    groups = (await client.list(GROUPS)).items
    found = [
        (user, [one["spec"]["name"] for one in groups if user["spec"]["username"] in one["spec"].get("members", ())])
        for user in users
    ]
    return sorted(found, key=lambda one: str(one[0]["spec"]["username"]))


def user_facts(user: Obj, listed_in: Sequence[str]) -> Obj:
    """What is told of one."""
    spec, status = user["spec"], user.get("status") or {}
    return {
        "username": spec["username"],
        "displayName": spec.get("displayName", ""),
        "email": spec.get("email", ""),
        "provider": spec.get("provider", "local"),
        "disabled": bool(spec.get("disabled")),
        "groups": sorted({*listed_in, *(status.get("groups") or ())}),
        "lastLogin": status.get("lastLogin"),
        "lockedUntil": status.get("lockedUntil"),
    }


def _row(facts: Obj) -> list[str]:
    return [
        facts["username"],
        facts["displayName"] or "-",
        facts["provider"],
        "disabled" if facts["disabled"] else "-",
        ",".join(facts["groups"]) or "-",
        facts["lastLogin"] or "never",
    ]
