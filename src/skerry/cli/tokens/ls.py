"""`skerry tokens ls`."""

from __future__ import annotations

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.options import output_option
from skerry.cli.printing import print_document, table
from skerry.cli.tokens.asking import ask

_HEADS = ("NAME", "PROJECT", "ROLE", "MADE BY", "LAST USED", "EXPIRES", "DESCRIPTION")


@click.command()
@output_option
@on_cluster
def ls(cluster: Cluster, output: str) -> None:
    """List your programs' tokens, and all of projects that you own, with their last use (to the minute).

    \b
    Examples:
      skerry tokens ls
      skerry tokens ls -o json
    """
    tokens = ask(cluster, "GET")["items"]
    if output != "table":
        print_document(tokens, output)
        return
    rows = [
        [
            one["name"],
            one["project"],
            one["role"],
            one["user"],
            one["lastUsed"] or "never",
            one["expires"],
            one["description"],
        ]
        for one in tokens
    ]
    click.echo(
        table(_HEADS, rows) if rows else "there are no tokens: `skerry tokens create --help` says how to make one"
    )
