"""`skerry launch`: a release of a chart of the catalogue, from nothing to its address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.platform_kinds import PROJECTS, RELEASES
from skerry.cli.releases.origins import TYPES, Origin
from skerry.cli.releases.values import merged, values_of, values_options
from skerry.cli.releases.waiting import say, until_settled
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@click.command()
@click.argument("chart")
@click.option("--name", default="", help="Of the release; by default the chart's.")
@click.option("--version", default="", help="A version or a range; by default the newest.")
@click.option("--secret", default="", help="With an address: a Secret with what logs in there, or ca.crt.")
@click.option("--ref", default="", help="Of git: a branch, tag or commit; by default what HEAD is.")
@click.option("--path", default="", help="Of git: a folder of the repository.")
@click.option("--type", type=click.Choice(TYPES), default=None, help="Of git: what is in the folder. [Chart]")
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
    files: Sequence[Path],
    pairs: Sequence[str],
    each: Sequence[Path],
    project: str,
    wait: bool,
    **said: str | None,
) -> None:
    """Launch CHART of the catalogue, or CATALOGUE/CHART, or one at an address or in git, and say where it answers.

    \b
    Examples:
      skerry launch jupyterlab
      skerry launch jupyterlab --name notebook -p lidar --set resources.memory=2Gi
      skerry launch skerry/web-application --name shop --values shop.yaml
      skerry launch oci://registry.example/charts/shop --version ^1.2 --secret registry
      skerry launch git+https://git.example/lidar/deploy.git --path overlays/prod --type Kustomize
    """
    origin = Origin(chart, **{option: text for option, text in said.items() if text})
    spec = origin.spec()
    common = values_of(files, pairs)
    wanted = {path.stem: merged(common, values_of([path], ())) for path in each}
    wanted = wanted or {name or origin.name: common}

    async def launch(client: HttpClient, namespace: str) -> list[Obj]:
        place = await _namespace(client, project) if project else namespace
        made = await _make(client, place, spec, wanted)
        return [await until_settled(client, one) for one in made] if wait else made

    for one in cluster.run(launch):
        say(one)


async def _namespace(client: HttpClient, project: str) -> str:
    found = await client.get(PROJECTS, project)
    return str((found["spec"].get("namespaces") or [project])[0])


async def _make(client: HttpClient, namespace: str, spec: Obj, wanted: Mapping[str, dict[str, Any]]) -> list[Obj]:
    return [
        await client.create(
            RELEASES,
            {
                "apiVersion": RELEASES.api_version,
                "kind": RELEASES.kind,
                "metadata": {"name": name},
                "spec": {**spec, "values": values},
            },
            namespace,
        )
        for name, values in wanted.items()
    ]
