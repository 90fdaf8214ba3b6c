"""`skerry charts ls` and `search`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from skerry.cli.catalogs.reading import seen
from skerry.cli.cluster import Cluster, everywhere_option, namespace_option, on_cluster
from skerry.cli.options import output_option
from skerry.cli.platform_kinds import CATALOG_ENTRIES
from skerry.cli.printing import print_document, table
from skerry.kube.objects import Obj

_HEADS = ("CHART", "VERSION", "APP", "KEPT", "DESCRIPTION")
_WIDEST = 70


@click.command()
@output_option
@everywhere_option
@namespace_option
@on_cluster
def ls(cluster: Cluster, output: str, everywhere: bool) -> None:
    """List the charts of the namespace's catalogues, and of everybody's.

    \b
    Example:
      skerry charts ls
    """
    found = cluster.run(lambda client, namespace: seen(client, CATALOG_ENTRIES, namespace, everywhere=everywhere))
    _print(found, output, "there are no charts: `skerry catalogs ls` says what the catalogues have to say")


@click.command()
@click.argument("words", nargs=-1, required=True)
@output_option
@namespace_option
@on_cluster
def search(cluster: Cluster, words: tuple[str, ...], output: str) -> None:
    """List charts that have all WORDS in their name, keywords or description.

    \b
    Example:
      skerry charts search notebook python
    """
    there = cluster.run(lambda client, namespace: seen(client, CATALOG_ENTRIES, namespace))
    _print([one for one in there if _has(one, words)], output, f"no chart has {' '.join(words)}: skerry charts ls")


def _has(entry: Obj, words: Sequence[str]) -> bool:
    spec = entry["spec"]
    told = [spec["name"], spec.get("displayName", ""), spec.get("category", ""), spec.get("description", "")]
    text = " ".join([*told, *(spec.get("keywords") or ())]).lower()
    return all(word.lower() in text for word in words)


def _print(found: Sequence[Obj], output: str, nothing: str) -> None:
    if output != "table":
        print_document({"charts": list(found)}, output)
    elif not found:
        click.echo(nothing)
    else:
        click.echo(table(_HEADS, [_row(one) for one in found]))


def _row(entry: Obj) -> tuple[str, ...]:
    spec = entry["spec"]
    versions = spec.get("versions") or [{}]
    kept = sum(bool(one.get("archive")) for one in versions)
    newest = versions[0]
    name = f"{spec['catalog']}/{spec['name']}"
    text = " ".join(spec.get("description", "").split())
    return name, newest.get("version", "-"), newest.get("appVersion") or "-", str(kept), text[:_WIDEST]
