"""Catalogues and charts that somebody may see: of one namespace, and everybody's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from skerry.cli.errors import CommandFailed
from skerry.cli.platform_kinds import CATALOGS, GLOBAL_NAMESPACE
from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj, Resource, name_of, namespace_of

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

for_everybody_option = click.option(
    "--global", "for_everybody", is_flag=True, help="Everybody's catalogues, in skerry-catalogs; operators change them."
)


async def seen(client: HttpClient, resource: Resource, namespace: str, *, everywhere: bool = False) -> list[Obj]:
    """Of a namespace and everybody's; of all namespaces with `everywhere`. Raises StatusError, OSError."""
    from skerry.kube.errors import Forbidden

    if everywhere:
        return sorted((await client.list(resource)).items, key=_order)
    found: list[Obj] = []
    for one in dict.fromkeys((namespace, GLOBAL_NAMESPACE)):
        try:
            found += (await client.list(resource, one)).items
        except Forbidden:
            continue  # the kubeconfig's namespace need not be one's own
    return sorted(found, key=_order)


async def catalog_named(client: HttpClient, name: str, namespace: str) -> Obj:
    """The one of a namespace, else everybody's. Raises CommandFailed."""
    for one in await seen(client, CATALOGS, namespace):
        if name_of(one) == name and namespace_of(one) == namespace:
            return one
    for one in await seen(client, CATALOGS, namespace):
        if name_of(one) == name:
            return one
    raise CommandFailed(f"there is no catalogue {name}, neither in {namespace} nor everybody's: skerry catalogs ls")


async def changed_catalog(client: HttpClient, catalog: Obj, change: Callable[[Obj], Obj]) -> Obj:
    """With another spec; somebody else's change at the same time is not lost. Raises StatusError, OSError."""
    from skerry.kube.errors import Conflict

    for _ in range(5):
        try:
            return await client.update(CATALOGS, {**catalog, "spec": change(catalog["spec"])})
        except Conflict:
            catalog = await client.get(CATALOGS, name_of(catalog), namespace_of(catalog))
    raise CommandFailed(f"others write catalogue {name_of(catalog)} at the same time: try again")


def place_of(namespace: str, *, for_everybody: bool) -> str:
    """The namespace that is meant."""
    return GLOBAL_NAMESPACE if for_everybody else namespace


def ready(obj: Obj) -> str:
    """What its condition says."""
    found: dict[str, Any] | None = condition_of(obj, "Ready")
    if found is None:
        return "not looked at yet"
    said = f"{found['reason']}: {found.get('message', '')}".rstrip(": ")
    return said if found["status"] == "True" else f"no, {said}"


def _order(obj: Obj) -> tuple[bool, str, str]:
    return namespace_of(obj) == GLOBAL_NAMESPACE, namespace_of(obj), name_of(obj)
