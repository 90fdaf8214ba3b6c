"""`skerry projects show`."""

from __future__ import annotations

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.options import output_option
from skerry.cli.platform_kinds import PROJECTS
from skerry.cli.printing import pairs, print_document, table
from skerry.cli.projects.printed import facts_of, history_rows, quota_rows


@click.command()
@click.argument("name")
@output_option
@on_cluster
def show(cluster: Cluster, name: str, output: str) -> None:
    """Show the project NAME: people, namespaces, quota, what happened to it.

    \b
    Examples:
      skerry projects show lidar
      skerry projects show lidar -o yaml
    """
    project = cluster.run(lambda client, _namespace: client.get(PROJECTS, name))
    if output != "table":
        print_document(project, output)
        return
    click.echo(pairs(facts_of(project)))
    quota, history = quota_rows(project), history_rows(project)
    if quota:
        click.echo("\n" + table(("RESOURCE", "USED", "OF"), quota))
    if history:
        click.echo("\n" + table(("TIME", "WHAT", "BY"), history))
