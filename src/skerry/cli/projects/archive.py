"""`skerry projects archive`, for owners and operators, and `export`, for operators: what is kept of a project."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.platform_kinds import PROJECTS
from skerry.kube.objects import Obj, name_of

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@click.command()
@click.argument("name")
@on_cluster
def archive(cluster: Cluster, name: str) -> None:
    """Archive the project NAME: nothing runs, and its manifests are kept elsewhere as well. Where its tier has
    purgeDays, everything is deleted after these, the data in its volumes too.

    \b
    Example:
      skerry projects archive lidar
    """
    cluster.run(lambda client, _namespace: client.patch(PROJECTS, name, {"spec": {"state": "Archived"}}))
    click.echo(f"{name} is archived; when it is deleted, if ever, says: skerry projects show {name}")


@click.command()
@click.argument("name")
@click.option("--output-file", type=click.Path(dir_okay=False, path_type=Path), help="Instead of printing; mode 0600.")
@on_cluster
def export(cluster: Cluster, name: str, output_file: Path | None) -> None:
    """Print the archive of the project NAME, also of one that was deleted: a List, as kubectl apply takes it. It has
    the project's Secrets in it. For operators.

    \b
    Examples:
      skerry projects export lidar --output-file lidar.json
      skerry projects export lidar | jq '.items[].kind'
    """
    found = json.dumps(cluster.run(lambda client, _namespace: _archive_of(client, name)), indent=2)
    if output_file is None:
        click.echo(found)
        return
    descriptor = os.open(output_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(found)


async def _archive_of(client: HttpClient, name: str) -> Any:
    """The newest. Raises CommandFailed when there is none."""
    from skerry.kube.client import Selection
    from skerry.kube.resources import SECRETS
    from skerry.platform.projects.lifecycle.archiving.packing import ARCHIVE_LABEL, ARCHIVES, unpacked

    listed = (await client.list(SECRETS, ARCHIVES, Selection(f"{ARCHIVE_LABEL}={name}"))).items
    if not listed:
        raise CommandFailed(f"there is no archive of {name}: skerry projects archive {name} makes one")
    newest = max(listed, key=lambda one: str(one["metadata"]["creationTimestamp"]))
    return unpacked(one for one in listed if _life(one) == _life(newest))


def _life(part: Obj) -> str:
    """A project that was made anew under its name has archives of its own."""
    return name_of(part).rpartition("-")[0]
