"""`skerry users`: who can sign in. One file per command; `reading` asks the cluster."""

from __future__ import annotations

import click

from skerry.cli.users.add import add
from skerry.cli.users.allowing import disable, enable
from skerry.cli.users.link import link
from skerry.cli.users.ls import ls


@click.group()
def command() -> None:
    """People who can sign in to a cluster's platform. For operators.

    People of other providers appear when they first sign in; accounts with a password here are added.

    \b
    Examples:
      skerry users add anna --name "Anna Berg"
      skerry users ls
      skerry users disable anna
    """


for one in (ls, add, link, disable, enable):
    command.add_command(one)
