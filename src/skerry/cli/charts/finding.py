"""Which chart of which catalogue a word on the command line means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.cli.catalogs.reading import seen
from skerry.cli.errors import CommandFailed
from skerry.cli.platform_kinds import CATALOG_ENTRIES
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


async def entry_of(client: HttpClient, chart: str, namespace: str) -> Obj:
    """`chart`: a name, or `catalog/name`. One's own catalogues come first. Raises CommandFailed."""
    catalog, _, name = chart.rpartition("/")
    for one in await seen(client, CATALOG_ENTRIES, namespace):
        if one["spec"]["name"] == name and catalog in ("", one["spec"]["catalog"]):
            return one
    raise CommandFailed(
        f"there is no chart {chart}, neither in {namespace} nor everybody's: skerry charts search {name}"
    )


def version_of(entry: Obj, wanted: str) -> Obj:
    """The version that is meant: "" or a range is its newest. Raises CommandFailed."""
    from skerry.platform.base.chart_versions import BadRange, best_version

    versions = {one["version"]: one for one in entry["spec"].get("versions") or ()}
    try:
        found = best_version(wanted, versions)
    except BadRange as bad:
        raise CommandFailed(str(bad)) from None
    if found is None:
        there = ", ".join(list(versions)[:5]) or "none"
        raise CommandFailed(f"there is no {entry['spec']['name']} {wanted}; there are {there}")
    newest: Obj = versions[found]
    return newest


def archive_of(entry: Obj, version: Obj) -> str:
    """The ConfigMap of its archive. Raises CommandFailed: it is not kept."""
    name, catalog = entry["spec"]["name"], entry["spec"]["catalog"]
    if not version.get("archive"):
        raise CommandFailed(
            f"{name} {version['version']} is not kept here: "
            f"skerry catalogs pin {catalog} {name} --version {version['version']}"
        )
    return str(version["archive"])
