"""`skerry tokens revoke`."""

from __future__ import annotations

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.tokens.asking import ask


@click.command()
@click.argument("names", nargs=-1, required=True)
@on_cluster
def revoke(cluster: Cluster, names: tuple[str, ...]) -> None:
    """Revoke tokens by NAME: they stop working at once, and what runs with them is cut off.

    \b
    Examples:
      skerry tokens revoke program-0a1b2c3d4e5f6071
    """
    from urllib.parse import quote

    for name in names:
        ask(cluster, "DELETE", quote(name, safe=""))
        click.echo(f"{name} revoked")
