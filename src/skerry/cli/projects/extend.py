"""`skerry projects extend`, for operators; owners ask by `skerry requests create extension`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.platform_kinds import PROJECTS
from skerry.kube.clock import parse_time, rfc3339
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@click.command()
@click.argument("name")
@click.option("--days", type=click.IntRange(1, 3650), required=True, help="How much longer.")
@on_cluster
def extend(cluster: Cluster, name: str, days: int) -> None:
    """Give the project NAME more days: after its end, or after now when that is over. For operators.

    \b
    Example:
      skerry projects extend lidar --days 30
    """
    end = cluster.run(lambda client, _namespace: _extended(client, name, days))
    click.echo(f"{name} ends on {end}")


async def _extended(client: HttpClient, name: str, days: int) -> str:
    project = await client.get(PROJECTS, name)
    end = rfc3339(new_end(project, days, datetime.now(UTC)))
    await client.patch(PROJECTS, name, {"spec": {"expires": end}})
    return end


def new_end(project: Obj, days: int, now: datetime) -> datetime:
    """Raises CommandFailed for a project without end."""
    written = project["spec"].get("expires") or (project.get("status") or {}).get("expires")
    if not written:
        raise CommandFailed("this project has no end: there is nothing to extend")
    return max(parse_time(written), now.replace(microsecond=0)) + timedelta(days=days)
