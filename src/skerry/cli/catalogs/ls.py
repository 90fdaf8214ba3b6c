"""`skerry catalogs ls`."""

from __future__ import annotations

import click

from skerry.cli.catalogs.reading import ready, seen
from skerry.cli.cluster import Cluster, everywhere_option, namespace_option, on_cluster
from skerry.cli.options import output_option
from skerry.cli.platform_kinds import CATALOGS
from skerry.cli.printing import print_document, table
from skerry.kube.objects import Obj, name_of, namespace_of

_HEADS = ("NAMESPACE", "NAME", "TYPE", "WHERE", "CHARTS", "REFRESHED", "READY")


@click.command()
@output_option
@everywhere_option
@namespace_option
@on_cluster
def ls(cluster: Cluster, output: str, everywhere: bool) -> None:
    """List catalogues: those of the namespace, and everybody's.

    \b
    Examples:
      skerry catalogs ls
      skerry catalogs ls -n lidar -o json
    """
    found = cluster.run(lambda client, namespace: seen(client, CATALOGS, namespace, everywhere=everywhere))
    if output != "table":
        print_document({"catalogs": found}, output)
    elif not found:
        click.echo("there are no catalogues: `skerry catalogs add --help`")
    else:
        click.echo(table(_HEADS, [_row(one) for one in found]))


def _row(catalog: Obj) -> tuple[str, ...]:
    spec, status = catalog["spec"], catalog.get("status") or {}
    where = spec.get("url") or spec.get("path") or "-"
    facts = (spec["type"], where, str(status.get("charts", 0)), status.get("refreshed") or "never")
    return namespace_of(catalog), name_of(catalog), *facts, ready(catalog)
