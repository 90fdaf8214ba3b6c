"""`skerry storage check`."""

from __future__ import annotations

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.options import output_option
from skerry.cli.printing import print_document, table


@click.command()
@output_option
@on_cluster
@click.pass_context
def check(context: click.Context, cluster: Cluster, output: str) -> None:
    """Find what is wrong with volumes; exit code 1 when something is.

    Volumes without a claim, claims without a volume, data that is gone, data that nobody speaks of, attachments and
    snapshots of what is gone. Changes nothing.

    \b
    Examples:
      skerry storage check
      skerry storage check -o json
    """
    from skerry.cli.storage.findings import findings
    from skerry.cli.storage.reading import read

    found = findings(cluster.run(lambda client, _namespace: read(client)))
    if output != "table":
        print_document({"findings": [one.to_json() for one in found]}, output)
    elif found:
        click.echo(table(["FOUND", "ABOUT", "WHAT", "HELP"], [[x.reason, x.about, x.message, x.help] for x in found]))
    else:
        click.echo("nothing is wrong")
    if found:
        context.exit(1)
