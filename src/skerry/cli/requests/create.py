"""`skerry requests create project|quota|extension`: asks, and says what became of it when that is known at once."""

from __future__ import annotations

import secrets
from typing import Any

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.options import HOURS
from skerry.cli.platform_kinds import PROJECT_REQUESTS

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
reason_option = click.option("--reason", default="", help="Why; for whoever decides.")


@click.group()
def create() -> None:
    """Ask for a project, for more, or for longer.

    \b
    Examples:
      skerry requests create project lidar --tier free
      skerry requests create quota lidar --set requests.cpu=8 --reason "a campaign in May"
      skerry requests create extension lidar --days 30
    """


@create.command()
@click.argument("name")
@click.option("--tier", default="free", show_default=True, help="What it is to be given.")
@reason_option
@on_cluster
def project(cluster: Cluster, name: str, tier: str, reason: str) -> None:
    """Ask for a project of your own, called NAME.

    \b
    Example:
      skerry requests create project lidar --tier free --reason "maps of the coast"
    """
    _ask(cluster, {"kind": "Project", "project": name, "tier": tier, "reason": reason})


@create.command()
@click.argument("project")
@click.option("--set", "wanted", multiple=True, metavar="RESOURCE=AMOUNT", help="As in a ResourceQuota; repeatable.")
@click.option("--cpu-hours", type=HOURS, default=None, help="A budget of so many hours of one CPU.")
@click.option("--gpu-hours", type=HOURS, default=None, help="A budget of so many hours of one GPU.")
@click.option("--tier", default=None, help="Another tier.")
@reason_option
@on_cluster
def quota(
    cluster: Cluster,
    project: str,
    wanted: tuple[str, ...],
    cpu_hours: float | None,
    gpu_hours: float | None,
    tier: str | None,
    reason: str,
) -> None:
    """Ask for more in PROJECT.

    \b
    Example:
      skerry requests create quota lidar --set requests.cpu=8 --set requests.storage=100Gi
    """
    budgets = {"cpuHours": cpu_hours, "gpuHours": gpu_hours}
    spec: dict[str, Any] = {"kind": "Quota", "project": project, "reason": reason}
    spec["quota"] = dict(_amount(one) for one in wanted)
    spec["budgets"] = {name: value for name, value in budgets.items() if value is not None}
    _ask(cluster, {**spec, "tier": tier} if tier else spec)


@create.command()
@click.argument("project")
@click.option("--days", type=click.IntRange(1, 3650), required=True, help="How much longer.")
@reason_option
@on_cluster
def extension(cluster: Cluster, project: str, days: int, reason: str) -> None:
    """Ask for more time for PROJECT.

    \b
    Example:
      skerry requests create extension lidar --days 30
    """
    _ask(cluster, {"kind": "Extension", "project": project, "days": days, "reason": reason})


def _amount(text: str) -> tuple[str, str]:
    name, given, amount = text.partition("=")
    if not given or not name or not amount:
        raise click.UsageError(f"--set {text!r}: RESOURCE=AMOUNT is wanted, for example requests.cpu=8")
    return name, amount


def _ask(cluster: Cluster, spec: dict[str, Any]) -> None:
    ending = "".join(secrets.choice(_LETTERS) for _ in range(5))
    name = f"{spec['project'][:200].lower()}-{spec['kind'].lower()}-{ending}"

    wanted = {"metadata": {"name": name}, "spec": spec}
    cluster.run(lambda client, _namespace: client.create(PROJECT_REQUESTS, wanted))
    click.echo(f"asked: {name}")
    click.echo("what becomes of it: skerry requests ls")
