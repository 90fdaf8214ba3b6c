"""`skerry charts`: what the catalogues have. One file per command; `finding` knows what is meant."""

from __future__ import annotations

import click

from skerry.cli.charts.ls import ls, search
from skerry.cli.charts.pull import pull
from skerry.cli.charts.push import push
from skerry.cli.charts.rm import rm
from skerry.cli.charts.show import show


@click.group()
def command() -> None:
    """Charts: what can be launched, and how charts of one's own become part of it.

    \b
    Examples:
      skerry charts search notebook
      skerry charts show jupyterlab --values
      skerry charts push ./web --catalog ours
    """


for one in (ls, search, show, push, pull, rm):
    command.add_command(one)
