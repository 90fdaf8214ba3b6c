"""`skerry charts pull`."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from skerry.cli.charts.finding import archive_of, entry_of, version_of
from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.kube.objects import namespace_of

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@click.command()
@click.argument("chart")
@click.option("--version", default="", help="A version or a range; the newest unless given.")
@click.option("-d", "--directory", type=click.Path(file_okay=False, exists=True, path_type=Path), default=".",
              show_default=True, help="Where to put it.")  # fmt: skip
@namespace_option
@on_cluster
def pull(cluster: Cluster, chart: str, version: str, directory: Path) -> None:
    """Write the archive of CHART (a name, or catalog/name) to a file, as it is kept.

    \b
    Example:
      skerry charts pull postgresql --version 1
    """
    name, archive = cluster.run(lambda client, namespace: _pulled(client, namespace, chart, version))
    file = directory / name
    try:
        file.write_bytes(archive)
    except OSError as error:
        raise CommandFailed(f"{file} cannot be written: {error.strerror}") from None
    click.echo(str(file))


async def _pulled(client: HttpClient, namespace: str, chart: str, version: str) -> tuple[str, bytes]:
    """The file's name, and what is in it. Raises CommandFailed."""
    from skerry.kube.resources import CONFIG_MAPS

    entry = await entry_of(client, chart, namespace)
    found = version_of(entry, version)
    kept = await client.get(CONFIG_MAPS, archive_of(entry, found), namespace_of(entry))
    archive = base64.b64decode((kept.get("binaryData") or {}).get("chart.tgz") or "")
    if hashlib.sha256(archive).hexdigest() != found.get("digest"):
        raise CommandFailed(
            f"what is kept of {chart} {found['version']} is not what the catalogue says: it was changed"
        )
    return f"{entry['spec']['name']}-{found['version']}.tgz", archive
