"""`skerry releases ls`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, everywhere_option, namespace_option, on_cluster
from skerry.cli.options import output_option
from skerry.cli.platform_kinds import RELEASES
from skerry.cli.printing import print_document, table
from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj, key_of, name_of, namespace_of

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_HEADS = ("NAME", "CHART", "REVISION", "PHASE", "READY", "URL")


@click.command()
@output_option
@namespace_option
@everywhere_option
@on_cluster
def ls(cluster: Cluster, output: str, everywhere: bool) -> None:
    """List releases: what runs, and where it answers.

    \b
    Examples:
      skerry releases ls
      skerry releases ls -A -o json
    """

    async def found(client: HttpClient, namespace: str) -> list[Obj]:
        return list((await client.list(RELEASES, None if everywhere else namespace)).items)

    releases = sorted(cluster.run(found), key=key_of)
    if output != "table":
        print_document({"releases": releases}, output)
    elif not releases:
        click.echo("there are no releases: `skerry launch --help` says how to launch something")
    else:
        heads = ("NAMESPACE", *_HEADS) if everywhere else _HEADS
        click.echo(table(heads, [_row(one, everywhere) for one in releases]))


def _row(release: Obj, everywhere: bool) -> Sequence[str]:
    status, chart = release.get("status") or {}, release["spec"].get("chart") or {}
    ready = condition_of(release, "Ready")
    said = "-" if ready is None else "yes" if ready["status"] == "True" else ready["reason"]
    runs = status.get("chart") or chart.get("name") or "-"
    revision = str(status.get("revision") or "-")
    row = name_of(release), runs, revision, status.get("phase", "Pending"), said, status.get("url") or "-"
    return (namespace_of(release), *row) if everywhere else row
