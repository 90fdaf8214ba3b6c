"""`skerry members add`."""

from __future__ import annotations

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.members.changing import change_members, member, with_member


@click.command()
@click.argument("project")
@click.argument("name")
@click.option("--group", is_flag=True, help="NAME is a group: everybody in it.")
@click.option(
    "--role", type=click.Choice(["owner", "editor", "viewer"]), default="viewer", show_default=True, help="What for."
)
@on_cluster
def add(cluster: Cluster, project: str, name: str, group: bool, role: str) -> None:
    """Make NAME a member of PROJECT, or give a member another role.

    \b
    Examples:
      skerry members add lidar ben@institute.example --role editor
      skerry members add lidar urn:mace:egi.eu:group:vo.access.egi.eu --group
    """
    who = member(name, group=group)
    change_members(cluster, project, lambda there: with_member(there, who, role))
    click.echo(f"{name}: {role} of {project}")
