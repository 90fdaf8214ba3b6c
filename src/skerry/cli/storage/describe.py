"""`skerry storage describe`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.options import output_option
from skerry.cli.printing import pairs, print_document

if TYPE_CHECKING:
    from skerry.cli.storage.reading import Everything
    from skerry.cli.volumes.facts import Measures


@click.command()
@click.argument("kind", type=click.Choice(["class", "volume", "claim"]))
@click.argument("name")
@namespace_option
@output_option
@on_cluster
def describe(cluster: Cluster, kind: str, name: str, output: str) -> None:
    """Show one class, volume or claim with everything that belongs to it, and what is wrong with it.

    \b
    Examples:
      skerry storage describe class local
      skerry storage describe claim data -n team -o json
    """
    from skerry.cli.storage import described
    from skerry.cli.storage.reading import read_with_measures
    from skerry.kube.http_client import HttpClient

    async def work(client: HttpClient, namespace: str) -> tuple[tuple[Everything, Measures], str]:
        return await read_with_measures(client), namespace

    (found, measures), namespace = cluster.run(work)
    facts = described.describe(kind, name, namespace, found, measures)
    if facts is None:
        where = f" in namespace {namespace}" if kind == "claim" else ""
        raise CommandFailed(f"there is no {kind} {name}{where}")
    if output != "table":
        print_document({key: value for key, value in facts.items() if value is not None}, output)
        return
    click.echo(pairs([(_words(key), _text(key, value)) for key, value in facts.items() if value not in (None, [], "")]))


def _words(key: str) -> str:
    """ "storageClass" as "Storage class"."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in key)
    return spaced[:1].upper() + spaced[1:]


def _text(key: str, value: Any) -> str:
    from skerry.cli.storage.described import BYTES
    from skerry.kube.sizes import size_text

    if key in BYTES:
        return size_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name}={one}" for name, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
