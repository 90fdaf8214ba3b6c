"""`skerry kubeconfig`: where the administrator's kubeconfig is, or what it says."""

from __future__ import annotations

from pathlib import Path

import click

from skerry.cli.errors import NotRunning
from skerry.cli.instance_files import need_instance
from skerry.cli.options import data_dir_option


@click.command()
@data_dir_option
@click.option("--raw", is_flag=True, help="Print its content: it holds the administrator's key.")
def command(data_dir: Path, raw: bool) -> None:
    """Print where the administrator's kubeconfig is.

    \b
    Examples:
      export KUBECONFIG=$(skerry kubeconfig)
      skerry kubeconfig --raw > ~/.kube/skerry
    """
    path = need_instance(data_dir).kubeconfig
    if not path.is_file():
        raise NotRunning(f"there is no kubeconfig in {data_dir} yet: start the instance with `skerry up`")
    click.echo(path.read_text() if raw else path, nl=not raw)
