"""`skerry clean`: `down`, then the data directory and the instance's place on the machine go."""

from __future__ import annotations

import time
from pathlib import Path

import click

from skerry.cli.down import stop_all
from skerry.cli.engine_process import follow_module
from skerry.cli.errors import CommandFailed
from skerry.cli.install_service import remove_service
from skerry.cli.instance_files import find_instance
from skerry.cli.options import data_dir_option
from skerry.cli.printing import live, step
from skerry.cli.trust_store import withdraw

_WORTH_TELLING = 0.5
"""Seconds."""


@click.command()
@data_dir_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(data_dir: Path, yes: bool) -> None:
    """Stop everything and remove the state: objects, images, volumes, logs, certificates.

    \b
    Example:
      skerry clean --yes
    """
    files = find_instance(data_dir)
    if files is None:
        click.echo(f"nothing to remove: there is no instance in {data_dir}")
        return
    if not yes:
        click.confirm(f"Remove everything in {files.data_dir}?", abort=True)
    begun = time.monotonic()
    stop_all(files)
    step("stopped", time.monotonic() - begun)
    begun = time.monotonic()
    remove_service(files.data_dir)
    withdraw(files.instance)
    parts = _Parts(files.data_dir)
    failure = follow_module(parts.begins, "skerry.engine.instance", "--remove", str(files.data_dir))
    if failure:
        live("")
        raise CommandFailed(failure)
    parts.begins("")
    step(f"removed {files.data_dir}", time.monotonic() - begun)


class _Parts:
    """Tells of each part of the data directory that takes its time: images are many files."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir, self._part, self._begun = data_dir, "", 0.0

    def begins(self, part: str) -> None:
        """The one before is gone. "" at the end."""
        now = time.monotonic()
        live(f"  removing {self._data_dir / part}" if part else "")
        if self._part and now - self._begun >= _WORTH_TELLING:
            live("")
            step(f"removed {self._data_dir / self._part}", now - self._begun)
        self._part, self._begun = part, now
