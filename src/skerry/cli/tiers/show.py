"""`skerry tiers show`."""

from __future__ import annotations

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.platform_kinds import TIERS
from skerry.cli.printing import print_document


@click.command()
@click.argument("name")
@click.option("-o", "--output", type=click.Choice(["json", "yaml"]), default="yaml", show_default=True, help="How.")
@on_cluster
def show(cluster: Cluster, name: str, output: str) -> None:
    """Show all that the tier NAME says.

    \b
    Example:
      skerry tiers show free
    """
    print_document(cluster.run(lambda client, _namespace: client.get(TIERS, name))["spec"], output)
