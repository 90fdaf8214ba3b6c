"""`skerry projects ls`: all of them for operators, one's own for everybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.options import output_option
from skerry.cli.platform_kinds import PROJECTS
from skerry.cli.printing import print_document, table
from skerry.cli.projects.printed import ready, row_of
from skerry.kube.objects import Obj, name_of

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_HEADS = ("NAME", "TIER", "OWNER", "PHASE", "CPU", "MEMORY", "EXPIRES", "READY")


@click.command()
@output_option
@on_cluster
def ls(cluster: Cluster, output: str) -> None:
    """List projects: whose they are, what they use of their quota, when they end.

    \b
    Examples:
      skerry projects ls
      skerry projects ls -o json
    """
    found = sorted(cluster.run(lambda client, _namespace: _seen(client)), key=name_of)
    if output != "table":
        print_document({"projects": found}, output)
    elif not found:
        click.echo("you are in no project: `skerry requests create project --help` says how to ask for one")
    else:
        click.echo(table(_HEADS, [(*row_of(one), ready(one)) for one in found]))


async def _seen(client: HttpClient) -> list[Obj]:
    from skerry.cli.visible import visible

    return await visible(client, PROJECTS)
