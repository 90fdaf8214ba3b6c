"""What the repository tells of its charts: Helm's index, ChartMuseum's lists. Pure.

Only versions whose archive is kept are told: the others are had by asking upstream.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj
from skerry.platform.catalog.types import CatalogEntrySpec, Version


def index(entries: Iterable[CatalogEntrySpec], now: datetime) -> Obj:
    """`index.yaml` as a document (helm.sh, "The Chart Repository Guide")."""
    charts = {one.name: versions_of(one) for one in entries}
    return {
        "apiVersion": "v1",
        "generated": rfc3339(now),
        "entries": {name: versions for name, versions in charts.items() if versions},
    }


def versions_of(entry: CatalogEntrySpec) -> list[Obj]:
    """Of one chart, newest first."""
    return [_version(entry, one) for one in entry.versions if one.archive]


def file_name(chart: str, version: str) -> str:
    """Of an archive."""
    return f"{chart}-{version}.tgz"


def _version(entry: CatalogEntrySpec, version: Version) -> Obj:
    whole = {
        "apiVersion": "v2",
        "name": entry.name,
        "version": version.version,
        "appVersion": version.app_version,
        "kubeVersion": version.kube_version,
        "description": entry.description,
        "icon": entry.icon,
        "home": entry.home,
        "keywords": list(entry.keywords),
        "maintainers": [one.dump() for one in entry.maintainers],
        "deprecated": entry.deprecated,
        "created": rfc3339(version.created) if version.created else "",
        "digest": version.digest,
        "urls": [f"charts/{file_name(entry.name, version.version)}"],
    }
    return {name: value for name, value in whole.items() if value}
