"""`skerry catalogs add`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from skerry.cli.catalogs.reading import for_everybody_option, place_of, ready
from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.platform_kinds import CATALOGS
from skerry.cli.watching import changed
from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj, name_of, namespace_of

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_SECONDS = 120
_TYPES = ("Http", "OCI", "Directory", "Git", "Hosted")


@click.command()
@click.argument("name")
@click.argument("url", default="")
@click.option("--type", "kind", type=click.Choice(_TYPES), help="Unless the URL says so; without one it is Hosted.")
@click.option("--ref", default="", help="Git: branch, tag or commit.")
@click.option("--path", default="", help="Git: where the charts are in it.")
@click.option("--chart", "charts", multiple=True, help="Only this one. Repeatable.")
@click.option("--secret", default="", help="A Secret beside it: username and password, ca.crt.")
@click.option("--keep", type=click.Choice(["Used", "Newest", "All"]), default="Used", show_default=True,
              help="Which archives are kept.")  # fmt: skip
@click.option("--description", default="", help="What it has.")
@for_everybody_option
@namespace_option
@on_cluster
def add(cluster: Cluster, name: str, url: str, kind: str | None, for_everybody: bool, **given: Any) -> None:
    """Add the catalogue NAME, and wait until it was read. URL is of the repository, or a directory.

    \b
    Examples:
      skerry catalogs add stable https://charts.example/stable
      skerry catalogs add ours -n lidar
      skerry catalogs add shared oci://registry.example/charts --chart web --global
      skerry catalogs add labs https://git.example/labs.git --type Git --path charts
    """
    spec = _spec(url, kind, given)
    wanted = {"apiVersion": CATALOGS.api_version, "kind": CATALOGS.kind, "metadata": {"name": name}, "spec": spec}
    made = cluster.run(
        lambda client, namespace: _made(client, wanted, place_of(namespace, for_everybody=for_everybody))
    )
    click.echo(f"{name}: {ready(made)}")


def _spec(url: str, kind: str | None, given: dict[str, Any]) -> Obj:
    chosen = kind or _type_of(url)
    place = {"path": url} if chosen == "Directory" else {"url": url}
    told = {key: list(value) if isinstance(value, tuple) else value for key, value in given.items() if value}
    return {"type": chosen, **({} if chosen == "Hosted" else place), **told}


def _type_of(url: str) -> str:
    if not url:
        return "Hosted"
    if url.startswith("oci://"):
        return "OCI"
    if url.startswith("/"):
        return "Directory"
    return "Git" if url.startswith("ssh://") or url.endswith(".git") else "Http"


async def _made(client: HttpClient, wanted: Obj, namespace: str) -> Obj:
    """Returns when it was read. Raises CommandFailed with what it says otherwise."""
    import asyncio

    catalog = await client.create(CATALOGS, wanted, namespace)
    try:
        async with asyncio.timeout(_SECONDS):
            while condition_of(catalog, "Ready") is None:
                await changed(client, CATALOGS, catalog)
                catalog = await client.get(CATALOGS, name_of(catalog), namespace_of(catalog))
    except TimeoutError:
        raise CommandFailed(
            f"{name_of(catalog)} is made, but nobody has looked at it for {_SECONDS} s: does the platform run "
            "(skerry status)?"
        ) from None
    said = condition_of(catalog, "Ready")
    if said is not None and said["status"] != "True":
        raise CommandFailed(f"{name_of(catalog)} is made, but cannot be read: {said['message']}")
    return catalog
