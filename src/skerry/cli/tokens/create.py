"""`skerry tokens create`."""

from __future__ import annotations

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.options import output_option
from skerry.cli.printing import print_document
from skerry.cli.tokens.asking import ask


@click.command()
@click.option("--project", required=True, help="Where the program may work.")
@click.option("--role", type=click.Choice(["owner", "editor", "viewer"]), default="viewer", show_default=True)
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How long it is good.")
@click.option("--description", default="", help="What it is for, as `skerry tokens ls` shows it.")
@output_option
@on_cluster
def create(cluster: Cluster, output: str, **wanted: str | int) -> None:
    """Make a token and print it: it is shown this once, and kept nowhere.

    \b
    Examples:
      skerry tokens create --project lidar --role editor --days 90 --description ci
    """
    made = ask(cluster, "POST", said=wanted)
    if output != "table":
        print_document(made, output)
        return
    click.echo(f"{made['name']}, good until {made['expires']}. It is not shown again:", err=True)
    click.echo(made["token"])
