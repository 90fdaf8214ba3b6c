"""`skerry members`: who is in a project. One file per command; `changing` writes."""

from __future__ import annotations

import click

from skerry.cli.members.add import add
from skerry.cli.members.ls import ls
from skerry.cli.members.remove import remove


@click.group()
def command() -> None:
    """Members of projects and their roles: owner, editor, viewer. Owners and operators change them.

    \b
    Examples:
      skerry members ls lidar
      skerry members add lidar ben@institute.example --role editor
      skerry members remove lidar ben@institute.example
    """


for one in (ls, add, remove):
    command.add_command(one)
