"""`skerry storage repair`: has orphans deleted, by name, once somebody says yes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.storage.reading import STORAGE_POOLS
from skerry.cli.watching import changed
from skerry.kube.objects import Obj, name_of
from skerry.kube.records import record
from skerry.kube.sizes import size_text

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@record
class Orphan:
    """A volume that no PersistentVolume has, and whose pool it is in."""

    pool: str
    handle: str
    size: int


@click.command()
@click.option("--reclaim", "handles", multiple=True, metavar="HANDLE", help="An orphan to delete; may be given again.")
@click.option("--all", "everything", is_flag=True, help="Every orphan there is.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--timeout", default=120.0, show_default=True, help="Seconds to wait until they are gone.")
@on_cluster
def repair(cluster: Cluster, handles: tuple[str, ...], everything: bool, yes: bool, timeout: float) -> None:
    """Delete orphans, with their data. Without --reclaim or --all nothing is done; `skerry storage check` lists them.

    What a PersistentVolume has by now is kept. Deleted data do not come back.

    \b
    Examples:
      skerry storage repair --reclaim pvc-6f0c41c5-3a45-4b3a-8c44-0e4a7e6f7a11
      skerry storage repair --all --yes
    """
    if not handles and not everything:
        raise click.UsageError("say what to delete: --reclaim HANDLE, or --all; `skerry storage check` lists orphans")
    known = orphans(cluster.run(lambda client, _namespace: _pools(client)))
    chosen = known if everything else _chosen(known, handles)
    if not chosen:
        click.echo("there are no orphans")
        return
    for one in chosen:
        click.echo(f"{one.pool}: {one.handle} ({size_text(one.size)})")
    if not yes:
        click.confirm(f"delete {len(chosen)} volumes with all their data?", abort=True)
    cluster.run(lambda client, _namespace: _reclaim(client, chosen, timeout))
    click.echo(f"deleted {len(chosen)} volumes")


def orphans(pools: list[Obj]) -> list[Orphan]:
    """Of all pools."""
    return [
        Orphan(name_of(pool), one["handle"], int(one.get("size", 0)))
        for pool in pools
        for one in (pool.get("status") or {}).get("orphans") or ()
    ]


def _chosen(known: list[Orphan], handles: tuple[str, ...]) -> list[Orphan]:
    unknown = sorted(set(handles) - {one.handle for one in known})
    if unknown:
        raise CommandFailed(f"no orphan is called {', '.join(unknown)}: `skerry storage check` lists them")
    return [one for one in known if one.handle in handles]


async def _pools(client: HttpClient) -> list[Obj]:
    from skerry.kube.errors import NotFound

    try:
        return (await client.list(STORAGE_POOLS)).items
    except NotFound:
        raise CommandFailed("this cluster has no StoragePools: what its drivers have is not known to it") from None


async def _reclaim(client: HttpClient, chosen: list[Orphan], timeout: float) -> None:
    import asyncio

    by_pool: dict[str, list[str]] = {}
    for one in chosen:
        by_pool.setdefault(one.pool, []).append(one.handle)
    try:
        async with asyncio.timeout(timeout):
            kept = [text for pool, handles in by_pool.items() for text in await _one_pool(client, pool, handles)]
    except TimeoutError:
        raise CommandFailed(f"not all of them were deleted within {timeout:g} s; it goes on") from None
    if kept:
        raise CommandFailed("\n  ".join(["not deleted:", *kept]))


async def _one_pool(client: HttpClient, name: str, handles: list[str]) -> list[str]:
    """Ask, and wait until all of them are done with; those that were kept, with the reason."""
    pool = await client.get(STORAGE_POOLS, name)
    before = (pool.get("spec") or {}).get("reclaim") or []
    wanted = [*before, *(one for one in handles if one not in before)]
    version = pool["metadata"]["resourceVersion"]
    patch = {"metadata": {"resourceVersion": version}, "spec": {"reclaim": wanted}}
    pool = await client.patch(STORAGE_POOLS, name, patch)
    while not (verdict := outcome(pool, handles)).done:
        await changed(client, STORAGE_POOLS, pool)
        pool = await client.get(STORAGE_POOLS, name)
    return verdict.kept


@record
class Outcome:
    """`done`: each was deleted or refused. `kept`: the refused, with the reason."""

    done: bool
    kept: list[str]


def outcome(pool: Obj, handles: list[str]) -> Outcome:
    """What has become of a request: what is done with is out of the list, and then only what was refused is told."""
    refused = {one["handle"]: one.get("message", "") for one in (pool.get("status") or {}).get("refused") or ()}
    still = set((pool.get("spec") or {}).get("reclaim") or ())
    return Outcome(still.isdisjoint(handles), [f"{one}: {refused[one]}" for one in handles if one in refused])
