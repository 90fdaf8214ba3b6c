"""`skerry charts rm`."""

from __future__ import annotations

from urllib.parse import quote

import click

from skerry.cli.catalogs.reading import for_everybody_option
from skerry.cli.charts.repository import repository_of
from skerry.cli.cluster import Cluster, namespace_option, on_cluster


@click.command()
@click.argument("chart")
@click.argument("version")
@click.option("--catalog", required=True, help="A catalogue of type Hosted.")
@for_everybody_option
@namespace_option
@on_cluster
def rm(cluster: Cluster, chart: str, version: str, catalog: str, for_everybody: bool) -> None:
    """Remove a VERSION of CHART from a hosted catalogue. What was installed from it goes on.

    \b
    Example:
      skerry charts rm web 1.2.0 --catalog ours
    """
    to = repository_of(cluster, catalog, for_everybody=for_everybody)
    to.server.send("DELETE", f"{to.path}/{quote(chart, safe='')}/{quote(version, safe='')}", to.token, None)
    click.echo(f"{chart} {version} is no longer in {catalog}")
