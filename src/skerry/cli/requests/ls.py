"""`skerry requests ls`: all of them for operators, one's own for everybody else."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.options import output_option
from skerry.cli.platform_kinds import PROJECT_REQUESTS
from skerry.cli.printing import print_document, table
from skerry.kube.objects import Obj, name_of

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@click.command()
@output_option
@on_cluster
def ls(cluster: Cluster, output: str) -> None:
    """List requests: what was asked, by whom, what was decided and why.

    \b
    Examples:
      skerry requests ls
      skerry requests ls -o json
    """
    found = cluster.run(lambda client, _namespace: _seen(client))
    if output != "table":
        print_document(found, output)
    elif not found:
        click.echo("there are no requests: `skerry requests create --help` says how to make one")
    else:
        heads = ("NAME", "KIND", "PROJECT", "REQUESTER", "WANTED", "WHY", "PHASE", "MESSAGE")
        click.echo(table(heads, [_row(one) for one in sorted(found, key=name_of)]))


async def _seen(client: HttpClient) -> list[Obj]:
    from skerry.cli.visible import visible

    return await visible(client, PROJECT_REQUESTS)


def _row(request: Obj) -> tuple[str, ...]:
    spec, status = request["spec"], request.get("status") or {}
    message = next((one.get("message", "") for one in status.get("conditions") or ()), "")
    phase = status.get("phase", "Pending")
    why = textwrap.shorten(spec.get("reason", ""), 50, placeholder=" ...") or "-"
    return name_of(request), spec["kind"], spec["project"], spec.get("requester", ""), wanted(spec), why, phase, message


def wanted(spec: Obj) -> str:
    """What a request asks for, in a few words."""
    words = [f"{name}={amount}" for name, amount in (spec.get("quota") or {}).items()]
    words += [f"{name}={hours:g}" for name, hours in (spec.get("budgets") or {}).items()]
    words += [f"tier {spec['tier']}"] if spec.get("tier") else []
    words += [f"{spec['days']} days"] if spec.get("days") else []
    return ", ".join(words)
