"""`skerry catalogs pin` and `unpin`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from skerry.cli.catalogs.reading import catalog_named, changed_catalog
from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@click.command()
@click.argument("catalog")
@click.argument("chart")
@click.option("--version", required=True, help='A version, or a range such as "^16": its newest is kept.')
@namespace_option
@on_cluster
def pin(cluster: Cluster, catalog: str, chart: str, version: str) -> None:
    """Always keep a version of CHART, also when upstream takes it out.

    \b
    Example:
      skerry catalogs pin stable postgresql --version "^16"
    """
    new = {"name": chart, "version": version}
    _change(cluster, catalog, lambda spec: {**spec, "pinned": [*_others(spec, chart, version), new]})
    click.echo(f"{chart} {version} is pinned: `skerry charts show {catalog}/{chart}` says what is kept of it")


@click.command()
@click.argument("catalog")
@click.argument("chart")
@click.option("--version", default="", help="As it was pinned; all pins of the chart unless given.")
@namespace_option
@on_cluster
def unpin(cluster: Cluster, catalog: str, chart: str, version: str) -> None:
    """Keep versions of CHART no longer than anybody uses them.

    \b
    Example:
      skerry catalogs unpin stable postgresql
    """
    _change(cluster, catalog, lambda spec: {**spec, "pinned": _others(spec, chart, version)})
    click.echo(f"{chart} {version}".rstrip() + " is no longer pinned")


def _others(spec: Obj, chart: str, version: str) -> list[Obj]:
    """Pins that are not meant."""
    return [one for one in spec.get("pinned") or () if one["name"] != chart or (version and one["version"] != version)]


def _change(cluster: Cluster, catalog: str, change: Callable[[Obj], Obj]) -> None:
    async def changed(client: HttpClient, namespace: str) -> None:
        await changed_catalog(client, await catalog_named(client, catalog, namespace), change)

    cluster.run(changed)
