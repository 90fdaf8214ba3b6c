"""`skerry catalogs`: where charts come from. One file per command; `reading` finds them."""

from __future__ import annotations

import click

from skerry.cli.catalogs.add import add
from skerry.cli.catalogs.ls import ls
from skerry.cli.catalogs.pinning import pin, unpin
from skerry.cli.catalogs.refresh import refresh
from skerry.cli.catalogs.rm import rm
from skerry.cli.catalogs.show import show


@click.group()
def command() -> None:
    """Catalogues: repositories, registries, directories and git repositories that charts come from.

    They speak only the Kubernetes API, so other clusters do as well: --kubeconfig.

    \b
    Examples:
      skerry catalogs ls
      skerry catalogs add stable https://charts.example/stable
      skerry catalogs pin stable postgresql --version "^16"
    """


for one in (ls, show, add, refresh, pin, unpin, rm):
    command.add_command(one)
