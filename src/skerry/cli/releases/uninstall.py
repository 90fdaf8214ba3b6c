"""`skerry releases uninstall`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.platform_kinds import RELEASES

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@click.command()
@click.argument("name")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Until nothing of it is left.")
@namespace_option
@on_cluster
def uninstall(cluster: Cluster, name: str, wait: bool) -> None:
    """Take a release away with all it made; what its chart says is to stay (claims of data, often) stays.

    \b
    Example:
      skerry releases uninstall notebook
    """
    cluster.run(lambda client, namespace: _delete(client, name, namespace, wait))
    click.echo(f"{name} is uninstalled" if wait else f"{name} is being uninstalled")


async def _delete(client: HttpClient, name: str, namespace: str, wait: bool) -> None:
    from skerry.cli.watching import changed
    from skerry.kube.errors import NotFound

    await client.delete(RELEASES, name, namespace)
    while wait:
        try:
            release = await client.get(RELEASES, name, namespace)
        except NotFound:
            return
        await changed(client, RELEASES, release)
