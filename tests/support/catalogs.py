"""Catalogues on a test cluster: made, waited for."""

from __future__ import annotations

from typing import Any

from skerry.kube.conditions import condition_of
from skerry.kube.errors import NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS
from skerry.platform.catalog.types import CATALOG_ENTRIES, CATALOGS, REFRESH
from tests.support.waiting import until


def catalog(name: str, **spec: Any) -> Obj:
    """A Catalog."""
    return {"apiVersion": CATALOGS.api_version, "kind": "Catalog", "metadata": {"name": name}, "spec": spec}


async def allow(admin: HttpClient, **data: str) -> None:
    """As an operator does, in the settings."""
    await admin.patch(CONFIG_MAPS, "catalog", {"data": data}, "skerry-system")


async def refresh(admin: HttpClient, name: str, value: str, namespace: str = "default") -> None:
    """Have it read again."""
    await admin.patch(CATALOGS, name, {"metadata": {"annotations": {REFRESH: value}}}, namespace)


async def until_says(admin: HttpClient, name: str, reason: str, namespace: str = "default") -> str:
    """Wait until the condition Ready has this reason and is about the present spec; its message."""

    async def says() -> Obj | None:
        found = await admin.get(CATALOGS, name, namespace)
        ready = condition_of(found, "Ready")
        current = ready is not None and ready["observedGeneration"] == found["metadata"]["generation"]
        return ready if ready is not None and current and ready["reason"] == reason else None

    said = await until(says, f"{name}: {reason}")
    assert said is not None
    return str(said["message"])


async def until_kept(admin: HttpClient, entry: str, *versions: str, namespace: str = "default") -> Obj:
    """Wait until exactly these versions are kept; the entry."""

    async def kept() -> Obj | None:
        try:
            found = await admin.get(CATALOG_ENTRIES, entry, namespace)
        except NotFound:
            return None
        there = {one["version"] for one in found["spec"]["versions"] if one["archive"]}
        return found if there == set(versions) else None

    found = await until(kept, f"{entry}: {versions} kept")
    assert found is not None
    return found
