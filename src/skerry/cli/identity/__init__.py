"""`skerry identity`: what becomes of what providers say."""

from __future__ import annotations

import click

from skerry.cli.identity.explain import explain


@click.group()
def command() -> None:
    """Where people sign in, and what follows from what is said of them there. For operators.

    \b
    Example:
      skerry identity explain egi --user anna@uni.example
    """


command.add_command(explain)
