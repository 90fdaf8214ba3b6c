"""`skerry projects delete`, for operators."""

from __future__ import annotations

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.platform_kinds import PROJECTS


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Without it nothing is deleted; what would be is shown.")
@on_cluster
def delete(cluster: Cluster, name: str, yes: bool) -> None:
    """Delete the project NAME with all its namespaces and the data in them. For operators.

    \b
    Example:
      skerry projects delete lidar --yes
    """
    project = cluster.run(lambda client, _namespace: client.get(PROJECTS, name))
    namespaces = ", ".join((project.get("status") or {}).get("namespaces") or ()) or "no namespaces"
    if not yes:
        raise CommandFailed(f"{name} would go with everything in {namespaces}: give --yes if that is meant")
    cluster.run(lambda client, _namespace: client.delete(PROJECTS, name))
    click.echo(f"{name} is being deleted, with {namespaces}")
