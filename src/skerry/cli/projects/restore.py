"""`skerry projects restore`, for operators: a project that was purged comes back from its archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.platform_kinds import PROJECTS

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@click.command()
@click.argument("name")
@on_cluster
def restore(cluster: Cluster, name: str) -> None:
    """Bring the project NAME back from its archive: the project, its claims with all data, then everything else. What
    is there is left as it is, so a restore that was interrupted goes on when it is asked for again. For operators.

    \b
    Example:
      skerry projects restore lidar
    """
    troubles = cluster.run(lambda client, _namespace: _restored(client, name))
    for trouble in troubles:
        click.echo(trouble, err=True)
    if troubles:
        raise CommandFailed(
            f"{len(troubles)} of {name} could not be restored: mend what is said above, and do it again"
        )
    click.echo(f"{name} is restored: skerry projects show {name}")


async def _restored(client: HttpClient, name: str) -> list[str]:
    from skerry.cli.projects.kept import archive_of
    from skerry.cli.projects.restoring import Restoring

    archive = await archive_of(client, name)
    restoring = Restoring(client, archive, click.echo)
    await restoring.project(await _there(client, name))
    return [*await restoring.volumes(), *await restoring.others()]


async def _there(client: HttpClient, name: str) -> bool:
    """Whether it is there. Raises CommandFailed where it has its data still."""
    from skerry.kube.errors import NotFound
    from skerry.kube.objects import is_deleting

    try:
        project = await client.get(PROJECTS, name)
    except NotFound:
        return False
    if is_deleting(project):
        raise CommandFailed(f"{name} is being deleted: restore it when it is gone")
    if (project.get("status") or {}).get("phase") == "Archived":
        raise CommandFailed(f"{name} is archived, and all it had is there still: skerry projects wake {name}")
    return True
