"""`skerry projects create`, for operators; others ask by `skerry requests create project`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.platform_kinds import PROJECTS
from skerry.cli.watching import changed
from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_SECONDS = 60


@click.command()
@click.argument("name")
@click.option("--owner", required=True, help="The user who answers for it, as the cluster knows the person.")
@click.option("--tier", default="free", show_default=True, help="What it is given: skerry tiers ls.")
@click.option("--description", default="", help="What it is about.")
@click.option("--namespace", "namespaces", multiple=True, help="Made for it; its own name unless given. Repeatable.")
@click.option("--site", "sites", multiple=True, help="Where its pods may run; anywhere unless given. Repeatable.")
@on_cluster
def create(
    cluster: Cluster,
    name: str,
    owner: str,
    tier: str,
    description: str,
    namespaces: tuple[str, ...],
    sites: tuple[str, ...],
) -> None:
    """Make the project NAME, and wait until its namespaces can be used. For operators.

    \b
    Examples:
      skerry projects create lidar --owner anna@uni.example
      skerry projects create lidar --owner anna@uni.example --tier guaranteed --site north
    """
    spec: dict[str, Any] = {"owner": owner, "tier": tier, "description": description}
    spec |= {"namespaces": list(namespaces)} if namespaces else {}
    spec |= {"sites": list(sites)} if sites else {}
    made = cluster.run(lambda client, _namespace: _made(client, {"metadata": {"name": name}, "spec": spec}))
    click.echo(f"{name} is ready: {', '.join(made['status']['namespaces'])}")


async def _made(client: HttpClient, wanted: Obj) -> Obj:
    """Returns when it is ready. Raises CommandFailed with what it says otherwise."""
    import asyncio

    project = await client.create(PROJECTS, wanted)
    name, said = project["metadata"]["name"], "the platform has not looked at it: does it run (skerry status)?"
    try:
        async with asyncio.timeout(_SECONDS):
            while True:
                ready = condition_of(project, "Ready")
                if ready is not None and ready["status"] == "True":
                    return project
                said = str(ready["message"]) if ready is not None else said
                if ready is not None and ready["reason"] in ("TierMissing", "NamespaceTaken"):
                    break
                await changed(client, PROJECTS, project)
                project = await client.get(PROJECTS, name)
    except TimeoutError:
        said = f"{said} (waited {_SECONDS} s)"
    raise CommandFailed(f"project {name} is made, but is not ready: {said}")
