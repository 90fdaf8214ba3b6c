"""`skerry tiers ls`."""

from __future__ import annotations

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.options import output_option
from skerry.cli.platform_kinds import TIERS
from skerry.cli.printing import print_document, table
from skerry.kube.objects import Obj, name_of


@click.command()
@output_option
@on_cluster
def ls(cluster: Cluster, output: str) -> None:
    """List tiers: quota, budget, how long, and whether somebody has to approve.

    \b
    Examples:
      skerry tiers ls
      skerry tiers ls -o yaml
    """
    found = sorted(cluster.run(lambda client, _namespace: client.list(TIERS)).items, key=name_of)
    if output != "table":
        print_document({"tiers": found}, output)
        return
    heads = ("NAME", "CPU", "MEMORY", "STORAGE", "CPU-HOURS", "DAYS", "APPROVAL", "DESCRIPTION")
    click.echo(table(heads, [_row(one) for one in found]))


def _row(tier: Obj) -> tuple[str, ...]:
    spec = tier["spec"]
    quota = spec.get("quota") or {}
    amounts = [str(quota.get(name, "-")) for name in ("requests.cpu", "requests.memory", "requests.storage")]
    hours = (spec.get("budgets") or {}).get("cpuHours")
    return (
        name_of(tier),
        *amounts,
        f"{hours:g}" if hours is not None else "-",
        str(spec.get("lifetimeDays") or "-"),
        spec.get("approval", "Manual"),
        spec.get("description", ""),
    )
