"""`skerry projects archive`, for owners and operators, and `export`, for operators: what is kept of a project."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.platform_kinds import PROJECTS

if TYPE_CHECKING:
    from skerry.cli.projects.kept import Archive
    from skerry.kube.http_client import HttpClient


@click.command()
@click.argument("name")
@on_cluster
def archive(cluster: Cluster, name: str) -> None:
    """Archive the project NAME: nothing runs, and its manifests and the data of its volumes are kept elsewhere as well.
    Where its tier has purgeDays, everything is deleted after these; the archive stays.

    \b
    Example:
      skerry projects archive lidar
    """
    cluster.run(lambda client, _namespace: client.patch(PROJECTS, name, {"spec": {"state": "Archived"}}))
    click.echo(f"{name} is archived; how far that is, and when it is deleted, if ever: skerry projects show {name}")


@click.command()
@click.argument("name")
@click.option("--output-file", type=click.Path(dir_okay=False, path_type=Path), help="Instead of printing; mode 0600.")
@click.option(
    "--volumes",
    type=click.Path(file_okay=False, path_type=Path),
    help="A directory: write the data of its volumes there, a file for each, instead of manifests.",
)
@on_cluster
def export(cluster: Cluster, name: str, output_file: Path | None, volumes: Path | None) -> None:
    """Print the archive of the project NAME, also of one that was deleted: a List, as kubectl apply takes it. It has
    the project's Secrets in it. With --volumes, write the data of its volumes instead; files that have come whole
    before stay. For operators.

    \b
    Examples:
      skerry projects export lidar --output-file lidar.json
      skerry projects export lidar | jq '.items[].kind'
      skerry projects export lidar --volumes lidar-data
    """
    if volumes is not None:
        for file in cluster.run(lambda client, _namespace: _fetched(client, name, volumes)):
            click.echo(str(file))
    if volumes is not None and output_file is None:
        return
    kept = cluster.run(lambda client, _namespace: _archive_of(client, name))
    found = json.dumps({"apiVersion": "v1", "kind": "List", "items": kept.manifests}, indent=2)
    if output_file is None:
        click.echo(found)
        return
    descriptor = os.open(output_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as written:
        written.write(found)


async def _archive_of(client: HttpClient, name: str) -> Archive:
    from skerry.cli.projects.kept import archive_of

    return await archive_of(client, name)


async def _fetched(client: HttpClient, name: str, directory: Path) -> list[Path]:
    from skerry.cli.projects.fetching import fetch_all

    return await fetch_all(client, await _archive_of(client, name), directory)
