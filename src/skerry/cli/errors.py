"""How commands fail: one line on standard error and an exit code that scripts can rely on.

0 done; 1 it failed; 2 the command line is wrong; 3 this machine lacks something (rights, a package, a port, a kernel
feature) and nothing was started; 4 there is no instance, or it is not running.
"""

from __future__ import annotations

from typing import IO, Any

import click


class CommandFailed(click.ClickException):
    """It was tried and did not work."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """One line, on standard error."""
        click.echo(f"skerry: {self.format_message()}", err=True, file=file)


def one_line(error: Exception) -> str:
    """What a library said over several, such as where YAML ends to be YAML."""
    return " ".join(str(error).split())


class MachineLacks(CommandFailed):
    """Something must be mended on this machine first; nothing was started."""

    exit_code = 3


class NotRunning(CommandFailed):
    """No instance in the data directory, or its engine does not run."""

    exit_code = 4
