"""`skerry projects hibernate` and `wake`, for owners and operators."""

from __future__ import annotations

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.platform_kinds import PROJECTS


@click.command()
@click.argument("name")
@on_cluster
def hibernate(cluster: Cluster, name: str) -> None:
    """Put the project NAME to sleep: nothing runs, all data is kept. Pods that nothing would make again are deleted.

    \b
    Example:
      skerry projects hibernate lidar
    """
    _ask(cluster, name, "Hibernated")
    click.echo(f"{name} is put to sleep; back it comes by: skerry projects wake {name}")


@click.command()
@click.argument("name")
@on_cluster
def wake(cluster: Cluster, name: str) -> None:
    """Wake the project NAME: everything runs again as it did. One that has ended needs more time or budget first.

    \b
    Example:
      skerry projects wake lidar
    """
    _ask(cluster, name, "Active")
    click.echo(f"{name} is asked to wake; whether something holds it says: skerry projects show {name}")


def _ask(cluster: Cluster, name: str, state: str) -> None:
    cluster.run(lambda client, _namespace: client.patch(PROJECTS, name, {"spec": {"state": state}}))
