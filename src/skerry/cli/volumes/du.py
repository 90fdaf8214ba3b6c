"""`skerry volumes du`: what is large in a volume, asked from inside a pod that has it mounted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.options import output_option
from skerry.cli.printing import live, print_document, table
from skerry.cli.volumes import helping, inside
from skerry.cli.volumes.inside import Entry
from skerry.kube.records import record
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PODS
from skerry.kube.sizes import size_text

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@record
class _Wanted:
    """The claim's namespace and name, how deep to look, whether a pod may be started for it, of which image."""

    namespace: str
    claim: str
    depth: int
    with_helper: bool
    image: str | None


@record
class _Found:
    """`place`: where it was looked from. `unread`: how much `du` could not read."""

    entries: list[Entry]
    place: str
    unread: int


@click.command()
@click.argument("claim")
@click.option("--depth", default=1, show_default=True, type=click.IntRange(0, 64), help="Directories so far down.")
@click.option("--lines", default=20, show_default=True, type=click.IntRange(1), help="The largest so many; -o has all.")
@click.option("--helper", is_flag=True, help="Start a short-lived pod that looks, when no other can.")
@click.option("--image", help="Of the helper; it needs `du`. One that the node has, unless given.")
@namespace_option
@output_option
@on_cluster
def du(cluster: Cluster, claim: str, depth: int, lines: int, helper: bool, image: str | None, output: str) -> None:
    """Show what is large in the volume of a CLAIM, the largest first.

    `du` runs in a pod that has it mounted, with that container's rights: what it may not read is not counted, and said.

    \b
    Examples:
      skerry volumes du data -n team
      skerry volumes du data --depth 3 -o json
      skerry volumes du data --helper
    """
    found = cluster.run(lambda client, namespace: _look(client, _Wanted(namespace, claim, depth, helper, image)))
    _print(found, claim, lines, output)


async def _look(client: HttpClient, wanted: _Wanted) -> _Found:
    claim = await client.get(PERSISTENT_VOLUME_CLAIMS, wanted.claim, wanted.namespace)
    if (claim.get("status") or {}).get("phase") != "Bound":
        raise CommandFailed(f"claim {wanted.claim} has no volume yet: there is nothing in it")
    pods = (await client.list(PODS, wanted.namespace)).items
    places = [place for pod in pods if (place := inside.mounted(pod, wanted.claim)) is not None]
    offer = f"--helper starts a pod that looks: skerry volumes du {wanted.claim} -n {wanted.namespace} --helper"
    try:
        if not places:
            raise CommandFailed(f"no running pod has {wanted.claim} mounted. {offer}")
        return await _in_pod(client, min(places, key=lambda one: bool(one.part)), wanted.depth)
    except CommandFailed as error:
        if not wanted.with_helper:
            raise CommandFailed(error.message if offer in error.message else f"{error.message}. {offer}") from None
    click.echo("starting a pod that looks", err=True)
    command = inside.du_command(helping.MOUNTED_AT, wanted.depth)
    output = await helping.run(client, claim, pods, command, wanted.image)
    found = inside.entries(output, helping.MOUNTED_AT)
    if not found:
        raise CommandFailed(f"du in the helper pod: {output.strip()[:500] or 'nothing was said'}")
    return _Found(found, "a helper pod", output.count(": Permission denied"))


async def _in_pod(client: HttpClient, place: inside.Mounted, depth: int) -> _Found:
    from skerry.kube.errors import StatusError

    try:
        ended = await inside.run(client, place, inside.du_command(place.path, depth), _count)
    except StatusError as error:
        where = f"container {place.container} of pod {place.pod}"
        raise CommandFailed(f"du cannot run in {where}: {error.message.strip()}") from None
    finally:
        live("")
    found = inside.entries(ended.output, place.path)
    if not found:
        raise CommandFailed(f"du in pod {place.pod}: {ended.errors.strip() or f'exit code {ended.code}'}")
    part = f" (only {place.part} of the volume)" if place.part else ""
    return _Found(found, f"pod {place.pod}, {place.path}{part}", len(ended.errors.splitlines()))


def _count(lines: int) -> None:
    live(f"looking: {lines} so far")


def _print(found: _Found, claim: str, lines: int, output: str) -> None:
    if output != "table":
        entries = [{"path": one.path, "size": one.size} for one in found.entries]
        print_document({"claim": claim, "seenFrom": found.place, "unread": found.unread, "entries": entries}, output)
        return
    click.echo(table(["SIZE", "PATH"], [[size_text(one.size), one.path] for one in found.entries[:lines]]))
    more = len(found.entries) - lines
    click.echo(f"seen from {found.place}" + (f"; {more} smaller ones: --lines" if more > 0 else ""), err=True)
    if found.unread:
        click.echo(f"{found.unread} files or directories could not be read and are not counted", err=True)
