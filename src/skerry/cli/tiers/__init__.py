"""`skerry tiers`: what projects are given."""

from __future__ import annotations

import click

from skerry.cli.tiers.ls import ls
from skerry.cli.tiers.show import show


@click.group()
def command() -> None:
    """Tiers: what projects of each are given. Operators change them by kubectl.

    \b
    Examples:
      skerry tiers ls
      skerry tiers show free
    """


for one in (ls, show):
    command.add_command(one)
