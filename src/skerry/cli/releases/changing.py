"""Commands that change what a release is to be, and wait until it is so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.platform_kinds import RELEASES
from skerry.cli.releases.values import merged, values_of, values_options, without_nulls
from skerry.cli.releases.waiting import say, until_settled
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_TRIES = 5
wait_option = click.option("--wait/--no-wait", default=True, show_default=True, help="Until it is as it is wanted.")


@click.command()
@click.argument("name")
@click.option("--version", default=None, help="Another version of the chart, or a range.")
@values_options
@click.option("--reset-values", is_flag=True, help="Forget the values it has; else these are put on top of them.")
@namespace_option
@wait_option
@on_cluster
def upgrade(
    cluster: Cluster,
    name: str,
    version: str | None,
    files: Sequence[Path],
    pairs: Sequence[str],
    reset_values: bool,
    wait: bool,
) -> None:
    """Give it other values or another version; a rollback that is under way ends.

    \b
    Examples:
      skerry releases upgrade notebook --set resources.memory=4Gi
      skerry releases upgrade notebook --version 1.4.0 --values notebook.yaml
    """
    given = values_of(files, pairs)

    def changed(spec: Obj) -> Obj:
        """All at once: without its values in between, it would be installed without them."""
        chart = {**(spec.get("chart") or {}), **({"version": version} if version is not None else {})}
        values = without_nulls(merged({} if reset_values else spec.get("values") or {}, given))
        rest = {key: value for key, value in spec.items() if key not in ("chart", "values", "rollbackTo")}
        return {**rest, **({"chart": chart} if chart else {}), **({"values": values} if values else {})}

    _make_so(cluster, lambda client, namespace: _rewritten(client, name, namespace, changed), wait=wait)


@click.command()
@click.argument("name")
@click.argument("revision", type=int)
@namespace_option
@wait_option
@on_cluster
def rollback(cluster: Cluster, name: str, revision: int, wait: bool) -> None:
    """Run an old REVISION again, until the next upgrade.

    \b
    Example:
      skerry releases rollback notebook 1
    """
    _change(cluster, name, {"rollbackTo": revision}, wait=wait)


def _switch(word: str, field: str, on: bool, about: str) -> click.Command:
    @click.command(word, help=f"{about}\n\n\b\nExample:\n  skerry releases {word} notebook")
    @click.argument("name")
    @namespace_option
    @wait_option
    @on_cluster
    def command(cluster: Cluster, name: str, wait: bool) -> None:
        _change(cluster, name, {field: on}, wait=wait)

    return command


stop = _switch("stop", "stopped", on=True, about="Scale it to zero; what it stores stays.")
start = _switch("start", "stopped", on=False, about="Have it run again as it did.")
suspend = _switch("suspend", "suspended", on=True, about="Do nothing for it until it is resumed; what runs goes on.")
resume = _switch("resume", "suspended", on=False, about="Keep it as it is wanted again.")


def _change(cluster: Cluster, name: str, spec: dict[str, Any], *, wait: bool) -> None:
    _make_so(cluster, lambda client, namespace: client.patch(RELEASES, name, {"spec": spec}, namespace), wait=wait)


async def _rewritten(client: HttpClient, name: str, namespace: str, change: Callable[[Obj], Obj]) -> Obj:
    """With another spec; somebody else's change at the same time is not lost. Raises StatusError, OSError."""
    from skerry.kube.errors import Conflict

    for _ in range(_TRIES):
        found = await client.get(RELEASES, name, namespace)
        try:
            return await client.update(RELEASES, {**found, "spec": change(found["spec"])})
        except Conflict:
            continue
    raise CommandFailed(f"others write release {name} at the same time: try again")


def _make_so(cluster: Cluster, change: Callable[[HttpClient, str], Awaitable[Obj]], *, wait: bool) -> None:
    async def changed(client: HttpClient, namespace: str) -> Obj:
        release = await change(client, namespace)
        return await until_settled(client, release) if wait else release

    found = cluster.run(changed)
    if wait:
        say(found)
