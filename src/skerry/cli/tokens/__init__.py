"""`skerry tokens`: tokens of programs, which act in one project. One file per command; `asking` speaks with the
platform."""

from __future__ import annotations

import click

from skerry.cli.tokens.create import create
from skerry.cli.tokens.ls import ls
from skerry.cli.tokens.revoke import revoke


@click.group()
def command() -> None:
    """Tokens for programs (CI, workflows): for one project, in one role, for some days.

    A program never does more than who made its token may do, and nothing any more when that person leaves the project.

    \b
    Examples:
      skerry tokens create --project lidar --role editor --days 90 --description ci
      skerry tokens ls
    """


for one in (create, ls, revoke):
    command.add_command(one)
