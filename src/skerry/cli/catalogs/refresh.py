"""`skerry catalogs refresh`."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import click

from skerry.cli.catalogs.reading import catalog_named
from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.platform_kinds import CATALOGS
from skerry.kube.objects import Obj, name_of, namespace_of

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@click.command()
@click.argument("name")
@namespace_option
@on_cluster
def refresh(cluster: Cluster, name: str) -> None:
    """Have the catalogue NAME read again now; `show` says what came of it.

    \b
    Example:
      skerry catalogs refresh stable
    """
    found = cluster.run(lambda client, namespace: _asked(client, name, namespace))
    click.echo(f"{name} in {namespace_of(found)} is being refreshed")


async def _asked(client: HttpClient, name: str, namespace: str) -> Obj:
    found = await catalog_named(client, name, namespace)
    change = {"metadata": {"annotations": {"skerry.dev/refresh": secrets.token_hex(8)}}}
    return await client.patch(CATALOGS, name_of(found), change, namespace_of(found))
