"""`skerry down`: stop pods, containerd and engine, take everything off the machine, keep the state."""

from __future__ import annotations

import time
from pathlib import Path

import click

from skerry.cli.engine_process import PROGRAM, run_module
from skerry.cli.errors import CommandFailed
from skerry.cli.install_service import stop_service
from skerry.cli.instance_files import InstanceFiles, find_instance
from skerry.cli.options import data_dir_option
from skerry.cli.printing import step


@click.command()
@data_dir_option
def command(data_dir: Path) -> None:
    """Stop everything; keep the state.

    Pods, containerd, engine, interfaces, rules and mounts go away; `skerry up` brings the same apps back. Harmless
    when nothing runs. Also puts right what a crash left behind.

    \b
    Example:
      skerry down
    """
    files = find_instance(data_dir)
    if files is None:
        click.echo(f"nothing to stop: there is no instance in {data_dir}")
        return
    begun = time.monotonic()
    stop_all(files)
    step("stopped", time.monotonic() - begun)


def stop_all(files: InstanceFiles) -> None:
    """Stop all of an instance. Raises CommandFailed with the reason."""
    stop_service(files.data_dir)
    done = run_module(PROGRAM, "--data-dir", str(files.data_dir), "--stop-all")
    if done.returncode != 0:
        raise CommandFailed(f"could not stop everything: {(done.stderr or done.stdout).strip()}")
