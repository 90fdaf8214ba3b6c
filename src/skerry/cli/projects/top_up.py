"""`skerry projects top-up`, for operators; owners ask by `skerry requests create quota`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.options import HOURS
from skerry.cli.platform_kinds import PROJECTS, TIERS
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@click.command("top-up")
@click.argument("name")
@click.option("--cpu-hours", type=HOURS, default=None, help="So many more.")
@click.option("--gpu-hours", type=HOURS, default=None, help="So many more.")
@on_cluster
def top_up(cluster: Cluster, name: str, cpu_hours: float | None, gpu_hours: float | None) -> None:
    """Add to the budgets of the project NAME, beside what it was given before. For operators.

    \b
    Example:
      skerry projects top-up lidar --cpu-hours 200
    """
    more = {key: value for key, value in (("cpuHours", cpu_hours), ("gpuHours", gpu_hours)) if value is not None}
    if not more:
        raise click.UsageError("say how much: --cpu-hours, --gpu-hours")
    budgets = cluster.run(lambda client, _namespace: _raised(client, name, more))
    click.echo(f"{name} has now: {', '.join(f'{key} {value:g}' for key, value in budgets.items())}")


async def _raised(client: HttpClient, name: str, more: Mapping[str, float]) -> dict[str, float]:
    project = await client.get(PROJECTS, name)
    tier = await client.get(TIERS, project["spec"]["tier"])
    budgets = raised(project, tier, more)
    version = project["metadata"]["resourceVersion"]  # what was added to is what there is
    change = {"metadata": {"resourceVersion": version}, "spec": {"overrides": {"budgets": budgets}}}
    await client.patch(PROJECTS, name, change)
    return budgets


def raised(project: Obj, tier: Obj, more: Mapping[str, float]) -> dict[str, float]:
    """The overrides with more in them. Raises CommandFailed for a budget that has no limit."""
    own = (project["spec"].get("overrides") or {}).get("budgets") or {}
    given = {**(tier["spec"].get("budgets") or {}), **own}
    for name in more:
        if given.get(name) is None:
            raise CommandFailed(f"{name} of this project has no limit: there is nothing to add to")
    return {name: given[name] + amount for name, amount in more.items()}
