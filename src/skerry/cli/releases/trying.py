"""`skerry releases test`, `recover` and `refresh`: have the platform try something now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.platform_kinds import RELEASES
from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_RECOVER, _TEST, _REFRESH = "skerry.dev/recover", "skerry.dev/test", "skerry.dev/refresh"


@click.command()
@click.argument("name")
@namespace_option
@on_cluster
def test(cluster: Cluster, name: str) -> None:
    """Run the chart's tests on what runs, and say what came of them.

    \b
    Example:
      skerry releases test notebook
    """
    tested = cluster.run(lambda client, namespace: _test(client, name, namespace))
    if not tested["passed"]:
        raise CommandFailed(f"tests of revision {tested['revision']} failed: {tested.get('message', '')}")
    click.echo(f"tests of revision {tested['revision']} passed")


@click.command()
@click.argument("name")
@namespace_option
@on_cluster
def recover(cluster: Cluster, name: str) -> None:
    """Give up what is stuck, and try once more what failed.

    \b
    Example:
      skerry releases recover notebook
    """
    cluster.run(lambda client, namespace: _ask(client, name, namespace, _RECOVER))
    click.echo(f"it is tried once more: skerry releases show {name}")


@click.command()
@click.argument("name")
@namespace_option
@on_cluster
def refresh(cluster: Cluster, name: str) -> None:
    """Look at once what upstream has, of a release by spec.chart.url or spec.source.git.

    \b
    Example:
      skerry releases refresh notebook
    """
    click.echo(f"upstream has {cluster.run(lambda client, namespace: _refresh(client, name, namespace))}")


async def _refresh(client: HttpClient, name: str, namespace: str) -> str:
    from skerry.cli.watching import changed

    spec = (await client.get(RELEASES, name, namespace))["spec"]
    if not (spec.get("chart") or {}).get("url") and not (spec.get("source") or {}).get("git"):
        raise CommandFailed(f"{name} has no upstream of its own: `skerry catalogs refresh` reads a catalogue again")
    if spec.get("suspended"):
        raise CommandFailed(f"{name} is suspended: `skerry releases resume {name}` first")
    release, word = await _ask(client, name, namespace, _REFRESH)
    while True:
        source = (release.get("status") or {}).get("source") or {}
        told = condition_of(release, "Fetched")
        if source.get("asked") == word and told is not None:
            if told["status"] != "True":
                raise CommandFailed(f"{told['reason']}: {told['message']}")
            return str(source["revision"])
        await changed(client, RELEASES, release)
        release = await client.get(RELEASES, name, namespace)


async def _test(client: HttpClient, name: str, namespace: str) -> Obj:
    from skerry.cli.watching import changed

    release, word = await _ask(client, name, namespace, _TEST)
    while True:
        status = release.get("status") or {}
        tested = status.get("tested") or {}
        if tested.get("asked") == word:
            return dict(tested)
        if status.get("phase") not in ("Deployed", "Installing", "Upgrading", "RollingBack"):
            raise CommandFailed(f"{name} does not run, it is {status.get('phase', 'Pending')}: it cannot be tested")
        await changed(client, RELEASES, release)
        release = await client.get(RELEASES, name, namespace)


async def _ask(client: HttpClient, name: str, namespace: str, annotation: str) -> tuple[Obj, str]:
    import secrets

    word = secrets.token_hex(4)
    change = {"metadata": {"annotations": {annotation: word}}}
    return await client.patch(RELEASES, name, change, namespace), word
