"""`skerry storage ls`."""

from __future__ import annotations

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.options import output_option
from skerry.cli.printing import print_document, table
from skerry.cli.volumes.printed import known_size


@click.command()
@output_option
@on_cluster
def ls(cluster: Cluster, output: str) -> None:
    """List storage classes: driver, volumes, bytes promised to them, used in them, available for new ones.

    USED counts volumes that are mounted; AVAILABLE is known where there is a StoragePool.

    \b
    Examples:
      skerry storage ls
      skerry storage ls -o json
    """
    from skerry.cli.storage.reading import read_with_measures
    from skerry.cli.storage.totals import ClassTotals, totals

    found, measures = cluster.run(lambda client, _namespace: read_with_measures(client))
    classes = totals(found, measures)
    if output != "table":
        print_document({"classes": [one.to_json() for one in classes]}, output)
        return

    def row(one: ClassTotals) -> list[str]:
        name = f"{one.name or '(none)'}{' (default)' if one.default else ''}"
        sizes = [known_size(one.promised), known_size(one.used), known_size(one.available)]
        return [name, one.driver or "-", one.reclaim or "-", "yes" if one.expands else "no", str(one.volumes), *sizes]

    heads = ["NAME", "DRIVER", "RECLAIM", "GROWS", "VOLUMES", "PROMISED", "USED", "AVAILABLE"]
    click.echo(table(heads, [row(one) for one in classes]) if classes else "there are no storage classes")
