"""`skerry launch`: a release of a chart of the catalogue, from nothing to its address."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.platform_kinds import PROJECTS, RELEASES
from skerry.cli.releases.values import merged, values_of, values_options
from skerry.cli.releases.waiting import say, until_settled
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_VERSIONED = re.compile(r"(-v?[0-9]+\.[^/]*)?\.tgz$")


@click.command()
@click.argument("chart")
@click.option("--name", default="", help="Of the release; by default the chart's.")
@click.option("--version", default="", help="A version or a range; by default the newest.")
@click.option("--secret", default="", help="With an address: a Secret with username and password, or ca.crt.")
@values_options
@click.option(
    "--each",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A release for each of these files of values, named like the file; repeatable.",
)
@click.option("-p", "--project", default="", help="Into this project's own namespace.")
@namespace_option
@click.option("--wait/--no-wait", default=True, show_default=True, help="Until it can be used.")
@on_cluster
def command(
    cluster: Cluster,
    chart: str,
    name: str,
    version: str,
    secret: str,
    files: Sequence[Path],
    pairs: Sequence[str],
    each: Sequence[Path],
    project: str,
    wait: bool,
) -> None:
    """Launch CHART of the catalogue, or CATALOGUE/CHART, or one at an address, and say where it answers.

    \b
    Examples:
      skerry launch jupyterlab
      skerry launch jupyterlab --name notebook -p lidar --set resources.memory=2Gi
      skerry launch skerry/web-application --name shop --values shop.yaml
      skerry launch oci://registry.example/charts/shop --version ^1.2 --secret registry
    """
    common = values_of(files, pairs)
    wanted = {path.stem: merged(common, values_of([path], ())) for path in each}
    wanted = wanted or {name or _named(chart): common}
    reference = _reference(chart, version, secret)

    async def launch(client: HttpClient, namespace: str) -> list[Obj]:
        place = await _namespace(client, project) if project else namespace
        made = await _make(client, place, reference, wanted)
        return [await until_settled(client, one) for one in made] if wait else made

    for one in cluster.run(launch):
        say(one)


def _reference(chart: str, version: str, secret: str) -> dict[str, str]:
    more = {"version": version, "secret": secret}
    catalog, _, name = chart.rpartition("/")
    said = {"url": chart} if "://" in chart else {"catalog": catalog, "name": name}
    return {key: value for key, value in {**said, **more}.items() if value}


def _named(chart: str) -> str:
    """What its release is called: of `https://charts.example/web-1.2.0.tgz` as of `skerry/web`."""
    return _VERSIONED.sub("", chart.rpartition("/")[2])


async def _namespace(client: HttpClient, project: str) -> str:
    found = await client.get(PROJECTS, project)
    return str((found["spec"].get("namespaces") or [project])[0])


async def _make(
    client: HttpClient, namespace: str, chart: Mapping[str, str], wanted: Mapping[str, dict[str, Any]]
) -> list[Obj]:
    return [
        await client.create(
            RELEASES,
            {
                "apiVersion": RELEASES.api_version,
                "kind": RELEASES.kind,
                "metadata": {"name": name},
                "spec": {"chart": dict(chart), "values": values},
            },
            namespace,
        )
        for name, values in wanted.items()
    ]
