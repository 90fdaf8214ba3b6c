"""`skerry releases`: applications from charts, kept as they are wanted. One file per group of commands."""

from __future__ import annotations

import click

from skerry.cli.releases.changing import resume, rollback, start, stop, suspend, upgrade
from skerry.cli.releases.diff import diff
from skerry.cli.releases.ls import ls
from skerry.cli.releases.show import history, show
from skerry.cli.releases.trying import recover, refresh, test
from skerry.cli.releases.uninstall import uninstall


@click.group()
def command() -> None:
    """Releases: what was launched, where it answers, what happened to it.

    They speak only the Kubernetes API, so other clusters do as well: --kubeconfig.

    \b
    Examples:
      skerry launch jupyterlab --name notebook
      skerry releases ls
      skerry releases upgrade notebook --set resources.memory=4Gi
      skerry releases rollback notebook 1
    """


for one in (
    ls,
    show,
    history,
    upgrade,
    rollback,
    diff,
    stop,
    start,
    suspend,
    resume,
    test,
    recover,
    refresh,
    uninstall,
):
    command.add_command(one)
