"""How entries are found in caches, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.objects import Obj, namespace_of
from skerry.platform.catalog.types import CATALOG_ENTRIES, CATALOGS

BY_CATALOG, BY_CHART, BY_ARCHIVE = "catalog: catalog", "catalog: chart", "catalog: archive"


def entry_name(catalog: str, chart: str) -> str:
    """Of the CatalogEntry."""
    return f"{catalog}.{chart}"


def catalogs_of(entry: Obj) -> Iterable[str]:
    """The key of its catalogue."""
    return (f"{namespace_of(entry)}/{entry['spec']['catalog']}",)


def charts_of(entry: Obj) -> Iterable[str]:
    """The chart's name."""
    return (entry["spec"]["name"],)


def archives_of(entry: Obj) -> Iterable[str]:
    """Keys of the ConfigMaps it refers to."""
    kept = {one.get("archive") for one in entry["spec"].get("versions") or ()}
    return [f"{namespace_of(entry)}/{one}" for one in kept if one]


def entry_object(catalog: Obj, spec: Obj) -> Obj:
    """A new entry beside its catalogue, which takes it along when it goes."""
    owner = {
        "apiVersion": CATALOGS.api_version,
        "kind": CATALOGS.kind,
        "name": catalog["metadata"]["name"],
        "uid": catalog["metadata"]["uid"],
        "controller": True,
    }
    return {
        "apiVersion": CATALOG_ENTRIES.api_version,
        "kind": CATALOG_ENTRIES.kind,
        "metadata": {
            "name": entry_name(spec["catalog"], spec["name"]),
            "namespace": namespace_of(catalog),
            "ownerReferences": [owner],
        },
        "spec": spec,
    }
