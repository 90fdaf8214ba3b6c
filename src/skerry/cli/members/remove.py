"""`skerry members remove`."""

from __future__ import annotations

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.members.changing import change_members, member, without_member


@click.command()
@click.argument("project")
@click.argument("name")
@click.option("--group", is_flag=True, help="NAME is a group.")
@on_cluster
def remove(cluster: Cluster, project: str, name: str, group: bool) -> None:
    """Take NAME out of PROJECT: all access by it ends.

    \b
    Example:
      skerry members remove lidar ben@institute.example
    """
    who = member(name, group=group)
    change_members(cluster, project, lambda there: without_member(there, who))
    click.echo(f"{name}: no longer a member of {project}")
