"""`skerry catalogs rm`."""

from __future__ import annotations

import click

from skerry.cli.catalogs.reading import for_everybody_option, place_of
from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.platform_kinds import CATALOGS


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Without it nothing is removed; what would be is shown.")
@for_everybody_option
@namespace_option
@on_cluster
def rm(cluster: Cluster, name: str, yes: bool, for_everybody: bool) -> None:
    """Remove the catalogue NAME with the archives it keeps. What was installed from it goes on.

    \b
    Example:
      skerry catalogs rm stable --yes
    """
    found = cluster.run(
        lambda client, namespace: client.get(CATALOGS, name, place_of(namespace, for_everybody=for_everybody))
    )
    namespace, charts = found["metadata"]["namespace"], (found.get("status") or {}).get("charts", 0)
    if not yes:
        raise CommandFailed(f"{name} in {namespace} would go with its {charts} charts: give --yes if that is meant")
    cluster.run(lambda client, _namespace: client.delete(CATALOGS, name, namespace))
    click.echo(f"{name} in {namespace} is removed")
