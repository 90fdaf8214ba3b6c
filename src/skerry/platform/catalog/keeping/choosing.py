"""Which versions of a chart are kept: what the catalogue says, pins, and what Releases refer to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skerry.kube.records import record
from skerry.platform.base.chart_versions import BadRange, best_version, matching_versions
from skerry.platform.catalog.types import CatalogSpec, Version

MOST_KEPT = 200
"""Archives of one chart."""


@record
class Choice:
    """Versions."""

    keep: frozenset[str]
    pinned: frozenset[str]


def choose(spec: CatalogSpec, chart: str, versions: Sequence[Version], used: Iterable[str]) -> Choice:
    """`versions`: newest first; `used`: versions and ranges that Releases have."""
    names = [one.version for one in versions]
    kept = {one.version for one in versions if one.archive}
    pins = [one.version for one in spec.pinned if one.name == chart]
    pinned = {one for pin in pins for one in _pinned(pin, names, kept)}
    wanted = {*pinned, *(found for one in used if (found := _best(one, names)))}
    if spec.keep == "All" or spec.type == "Hosted":
        wanted.update(names)
    elif spec.keep == "Newest":
        newest = _best("", names)
        wanted.update([newest] if newest else [])
    most = len(names) if spec.type == "Hosted" else MOST_KEPT
    return Choice(frozenset([one for one in names if one in wanted][:most]), frozenset(pinned))


def _pinned(pin: str, names: Sequence[str], kept: Iterable[str]) -> Iterable[str]:
    """The newest that a pin means, and those that it meant before."""
    best = _best(pin, names)
    try:
        before = set(matching_versions(pin, names)) & set(kept)
    except BadRange:
        before = set()
    return {*before, *([best] if best else [])}


def _best(wanted: str, names: Sequence[str]) -> str | None:
    try:
        return best_version(wanted, names)
    except BadRange:
        return None
