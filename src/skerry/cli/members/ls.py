"""`skerry members ls`."""

from __future__ import annotations

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.options import output_option
from skerry.cli.platform_kinds import PROJECTS
from skerry.cli.printing import print_document, table


@click.command()
@click.argument("project")
@output_option
@on_cluster
def ls(cluster: Cluster, project: str, output: str) -> None:
    """List who is in PROJECT, and as what.

    \b
    Examples:
      skerry members ls lidar
      skerry members ls lidar -o json
    """
    spec = cluster.run(lambda client, _namespace: client.get(PROJECTS, project))["spec"]
    members = [{"user": spec["owner"], "role": "owner"}, *(spec.get("members") or [])]
    if output != "table":
        print_document({"members": members}, output)
        return
    rows = [("user" if one.get("user") else "group", one.get("user") or one["group"], one["role"]) for one in members]
    click.echo(table(("KIND", "NAME", "ROLE"), rows))
