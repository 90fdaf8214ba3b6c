"""`skerry volumes top`."""

from __future__ import annotations

import click

from skerry.cli.cluster import Cluster, everywhere_option, namespace_option, on_cluster
from skerry.cli.options import output_option
from skerry.cli.volumes.facts import by_use
from skerry.cli.volumes.printed import print_claims


@click.command()
@namespace_option
@everywhere_option
@output_option
@on_cluster
def top(cluster: Cluster, everywhere: bool, output: str) -> None:
    """List claims, the fullest first. What no pod has mounted comes last: nobody can look into it.

    \b
    Examples:
      skerry volumes top -n team
      skerry volumes top -A -o yaml
    """
    from skerry.cli.volumes.reading import read_claims

    claims = cluster.run(lambda client, namespace: read_claims(client, None if everywhere else namespace))
    print_claims(by_use(claims), output, everywhere=everywhere)
