"""`skerry projects`: groups of people and what they use together. One file per command; `printed` shows them."""

from __future__ import annotations

import click

from skerry.cli.projects.archive import archive, export
from skerry.cli.projects.create import create
from skerry.cli.projects.delete import delete
from skerry.cli.projects.extend import extend
from skerry.cli.projects.hibernate import hibernate, wake
from skerry.cli.projects.ls import ls
from skerry.cli.projects.restore import restore
from skerry.cli.projects.show import show
from skerry.cli.projects.top_up import top_up


@click.group()
def command() -> None:
    """Projects: who is in them, what they may use, what they use.

    They speak only the Kubernetes API, so other clusters do as well: --kubeconfig.

    \b
    Examples:
      skerry projects ls
      skerry projects show lidar
      skerry projects create lidar --owner anna@uni.example --tier guaranteed
    """


for one in (ls, show, create, hibernate, wake, extend, top_up, archive, export, restore, delete):
    command.add_command(one)
