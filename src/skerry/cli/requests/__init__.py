"""`skerry requests`: ask for a project, for more, for longer; decide. One file per command."""

from __future__ import annotations

import click

from skerry.cli.requests.create import create
from skerry.cli.requests.decide import approve, deny
from skerry.cli.requests.ls import ls


@click.group()
def command() -> None:
    """Requests: for a project, for more, for longer; and what was decided.

    They speak only the Kubernetes API, so other clusters do as well: --kubeconfig.

    \b
    Examples:
      skerry requests create project lidar --tier free --reason "maps of the coast"
      skerry requests create extension lidar --days 30
      skerry requests ls
      skerry requests approve lidar-extension-x7k2p
    """


for one in (create, ls, approve, deny):
    command.add_command(one)
