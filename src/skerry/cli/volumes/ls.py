"""`skerry volumes ls`."""

from __future__ import annotations

import click

from skerry.cli.cluster import Cluster, everywhere_option, namespace_option, on_cluster
from skerry.cli.options import output_option
from skerry.cli.volumes.printed import print_claims


@click.command()
@namespace_option
@everywhere_option
@output_option
@on_cluster
def ls(cluster: Cluster, everywhere: bool, output: str) -> None:
    """List claims: class, size, how full they are, and the pods that have them.

    \b
    Examples:
      skerry volumes ls
      skerry volumes ls -A -o json
    """
    from skerry.cli.volumes.reading import read_claims

    claims = cluster.run(lambda client, namespace: read_claims(client, None if everywhere else namespace))
    print_claims(claims, output, everywhere=everywhere)
