"""The cluster that a command asks: the instance of this machine, or any other by its kubeconfig.

Commands that use it speak only the Kubernetes API. Heavy imports happen when a command runs, not for its `--help`.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from skerry.cli.errors import CommandFailed, NotRunning
from skerry.cli.instance_files import find_instance
from skerry.cli.options import data_dir_option
from skerry.kube.records import record

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient
    from skerry.kube.kubeconfig import Connection

_T = TypeVar("_T")


@record
class Cluster:
    """Which cluster, and which of its namespaces: "" is that of the kubeconfig."""

    data_dir: Path
    data_dir_given: bool
    kubeconfig: Path | None
    context: str | None
    namespace: str = ""

    def connection(self) -> Connection:
        """Where it is and who we are there. Raises CommandFailed, NotRunning."""
        from skerry.kube.kubeconfig import KubeconfigError, load_kubeconfig

        try:
            return load_kubeconfig(self._file(), self.context)
        except KubeconfigError as error:
            raise CommandFailed(str(error)) from None

    def _file(self) -> Path | None:
        """None: the usual ones. What is said on the command line counts more than the environment, that more than
        what is there by default."""
        if self.kubeconfig or self.context:
            return self.kubeconfig
        if not self.data_dir_given and os.environ.get("KUBECONFIG"):
            return None
        has_own = not self.data_dir_given and (Path.home() / ".kube" / "config").is_file()
        try:
            instance = find_instance(self.data_dir)
        except CommandFailed:  # somebody else's: who signed in has a kubeconfig
            if has_own:
                return None
            raise
        if instance is not None:
            return instance.kubeconfig
        if has_own:
            return None
        raise NotRunning(f"there is no instance in {self.data_dir}: start one with `skerry up`, or give --kubeconfig")

    def run(self, work: Callable[[HttpClient, str], Awaitable[_T]]) -> _T:
        """Run `work` with a client and the namespace; failures of the API become those of a command."""
        import asyncio

        from skerry.cli.refusals import in_words, unreachable
        from skerry.kube.errors import StatusError

        connection = self.connection()
        namespace = self.namespace or connection.namespace
        try:
            return asyncio.run(_with_client(connection, namespace, work))
        except StatusError as error:
            raise CommandFailed(in_words(error)) from None
        except OSError as error:
            raise CommandFailed(unreachable(connection.server, error)) from None


async def _with_client(connection: Connection, namespace: str, work: Callable[[HttpClient, str], Awaitable[_T]]) -> _T:
    from skerry.kube.http_client import HttpClient

    async with HttpClient(connection) as client:
        return await work(client, namespace)


def on_cluster(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say which cluster, and which namespace; the command is given a `Cluster` as `cluster`."""

    @functools.wraps(command)
    def called(
        data_dir: Path, kubeconfig: Path | None, context: str | None, namespace: str = "", **parameters: Any
    ) -> Any:
        source = click.get_current_context().get_parameter_source("data_dir")
        given = source is not click.core.ParameterSource.DEFAULT
        return command(cluster=Cluster(data_dir, given, kubeconfig, context, namespace), **parameters)

    file = click.Path(dir_okay=False, exists=True, path_type=Path)
    with_context = click.option("--context", help="A context of the kubeconfig instead of its current one.")(called)
    with_kubeconfig = click.option("--kubeconfig", type=file, help="Another cluster's kubeconfig.")(with_context)
    return data_dir_option(with_kubeconfig)


namespace_option = click.option("-n", "--namespace", default="", help="Instead of the kubeconfig's own.")
everywhere_option = click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="Of all namespaces.")
