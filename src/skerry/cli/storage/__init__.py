"""`skerry storage`: what an administrator looks at. One file per command; `reading` asks, `findings` judges."""

from __future__ import annotations

import click

from skerry.cli.storage.check import check
from skerry.cli.storage.describe import describe
from skerry.cli.storage.ls import ls
from skerry.cli.storage.repair import repair


@click.group()
def command() -> None:
    """Storage classes and all volumes of a cluster: totals, what is wrong, what can be reclaimed.

    They speak only the Kubernetes API, so other clusters do as well: --kubeconfig.

    \b
    Examples:
      skerry storage ls
      skerry storage check
    """


for one in (ls, describe, check, repair):
    command.add_command(one)
