"""`skerry volumes`: claims and what they hold. One file per command; `facts` judges, `reading` asks."""

from __future__ import annotations

import click

from skerry.cli.volumes.du import du
from skerry.cli.volumes.expand import expand
from skerry.cli.volumes.ls import ls
from skerry.cli.volumes.top import top


@click.group()
def command() -> None:
    """Volumes of claims: how full they are, what is large in them, more room.

    They speak only the Kubernetes API, so other clusters do as well: --kubeconfig.

    \b
    Examples:
      skerry volumes ls -n team
      skerry volumes expand data 20Gi -n team
    """


for one in (ls, top, du, expand):
    command.add_command(one)
