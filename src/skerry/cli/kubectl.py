"""`skerry kubectl`: becomes kubectl, with KUBECONFIG set."""

from __future__ import annotations

import os
from pathlib import Path

import click

from skerry.cli.errors import CommandFailed
from skerry.cli.instance_files import need_instance
from skerry.cli.options import data_dir_option
from skerry.kube import programs


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}, add_help_option=False
)
@data_dir_option
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def command(data_dir: Path, words: tuple[str, ...]) -> None:
    """Run kubectl against this instance.

    Everything after `kubectl` goes to it unchanged, but for a --data-dir that comes first. Uses the kubectl beside
    Skerry's own Python, else the one in PATH.

    \b
    Examples:
      skerry kubectl get pods -A
      skerry kubectl --data-dir /srv/second apply -f app.yaml
    """
    program = find_program("kubectl")
    environment = {**os.environ, "KUBECONFIG": str(need_instance(data_dir).kubeconfig)}
    os.execve(program, [program, *words], environment)  # noqa: S606  # no shell wanted


def find_program(name: str) -> str:
    """The program beside our Python, else in PATH. Raises CommandFailed."""
    found = programs.find_program(name)
    if found is None:
        raise CommandFailed(f"{name} is not installed: `make setup` installs it beside skerry")
    return found
