"""`skerry charts push`."""

from __future__ import annotations

from pathlib import Path

import click

from skerry.cli.catalogs.reading import for_everybody_option
from skerry.cli.charts.repository import repository_of
from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.errors import CommandFailed


@click.command()
@click.argument("chart", type=click.Path(exists=True, path_type=Path))
@click.option("--catalog", required=True, help="A catalogue of type Hosted.")
@for_everybody_option
@namespace_option
@on_cluster
def push(cluster: Cluster, chart: Path, catalog: str, for_everybody: bool) -> None:
    """Push CHART, a directory or an archive, to a hosted catalogue. Versions do not change once they are there.

    \b
    Examples:
      skerry charts push ./web --catalog ours -n lidar
      skerry charts push web-1.2.0.tgz --catalog labs --global
    """
    archive = _archive(chart)
    to = repository_of(cluster, catalog, for_everybody=for_everybody)
    told = to.server.send("POST", to.path, to.token, archive, "application/gzip")
    click.echo(f"{told['name']} {told['version']} is in {catalog}")


def _archive(chart: Path) -> bytes:
    """Raises CommandFailed."""
    from skerry.platform.catalog.charts.archive import read_chart
    from skerry.platform.catalog.charts.facts import BadChart
    from skerry.platform.catalog.charts.packing import pack

    try:
        archive = pack(chart, chart.resolve().parent) if chart.is_dir() else chart.read_bytes()
        read_chart(archive)
    except BadChart as bad:
        raise CommandFailed(f"{chart} is no chart that can be pushed: {bad}") from None
    except OSError as error:
        raise CommandFailed(f"{chart} cannot be read: {error.strerror}") from None
    return archive
