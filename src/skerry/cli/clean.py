"""`skerry clean`: `down`, then the data directory and the instance's place on the machine go."""

from __future__ import annotations

import time
from pathlib import Path

import click

from skerry.cli.down import stop_all
from skerry.cli.engine_process import run_module
from skerry.cli.errors import CommandFailed
from skerry.cli.install_service import remove_service
from skerry.cli.instance_files import find_instance
from skerry.cli.options import data_dir_option
from skerry.cli.printing import step
from skerry.cli.trust_store import withdraw


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
    done = run_module("skerry.engine.instance", "--remove", str(files.data_dir))
    if done.returncode != 0:
        raise CommandFailed(done.stderr.strip())
    step(f"removed {files.data_dir}", time.monotonic() - begun)
