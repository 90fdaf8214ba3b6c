"""`skerry requests approve` and `deny`, for whoever may."""

from __future__ import annotations

from typing import Any

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.platform_kinds import PROJECT_REQUESTS


@click.command()
@click.argument("name")
@click.option("--answer", default="", help="What the requester is told.")
@on_cluster
def approve(cluster: Cluster, name: str, answer: str) -> None:
    """Grant the request NAME.

    \b
    Example:
      skerry requests approve lidar-quota-x7k2p
    """
    _decide(cluster, name, {"decision": "Approved", "answer": answer})


@click.command()
@click.argument("name")
@click.option("--answer", required=True, help="Why not: the requester is told.")
@on_cluster
def deny(cluster: Cluster, name: str, answer: str) -> None:
    """Refuse the request NAME.

    \b
    Example:
      skerry requests deny lidar-quota-x7k2p --answer "the GPUs are taken until June"
    """
    _decide(cluster, name, {"decision": "Denied", "answer": answer})


def _decide(cluster: Cluster, name: str, decision: dict[str, Any]) -> None:
    cluster.run(lambda client, _namespace: client.patch(PROJECT_REQUESTS, name, {"spec": decision}))
    click.echo(f"{name}: {decision['decision'].lower()}")
