"""`skerry logs`: the engine's own log, or those of what it runs for itself."""

from __future__ import annotations

import time
from pathlib import Path

import click

from skerry.cli.engine_process import last_lines, size_of
from skerry.cli.errors import NotRunning
from skerry.cli.instance_files import need_instance
from skerry.cli.options import data_dir_option

_LOOK_EVERY = 0.2  # seconds between looks for new lines while following


@click.command()
@data_dir_option
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines until interrupted.")
@click.option("--tail", type=click.IntRange(0), default=200, show_default=True, help="How many lines to begin with.")
@click.option("--containerd", "which", flag_value="containerd", help="containerd's log instead.")
@click.option("--platform", "which", flag_value="platform", help="The platform's log instead.")
def command(data_dir: Path, follow: bool, tail: int, which: str | None) -> None:
    """Show the engine's own log. (Logs of apps: `skerry kubectl logs`.)

    \b
    Examples:
      skerry logs -f
      skerry logs --platform
      skerry logs --containerd --tail 50
    """
    path = need_instance(data_dir).log_dir / f"{which or 'engine'}.log"
    if not path.is_file():
        raise NotRunning(f"there is no {path} yet")
    position = size_of(path)
    for line in last_lines(path, tail) if tail else ():
        click.echo(line)
    while follow:
        position = _print_from(path, position)
        time.sleep(_LOOK_EVERY)


def _print_from(path: Path, position: int) -> int:
    """Print what was added since `position`; begins anew when the file was rotated. Returns the new position."""
    try:
        with path.open("rb") as file:
            if size_of(path) < position:
                position = 0
            file.seek(position)
            added = file.read()
    except FileNotFoundError:
        return 0
    if added:
        click.echo(added, nl=False)
    return position + len(added)
