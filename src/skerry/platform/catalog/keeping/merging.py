"""What a CatalogEntry says after its upstream was read again. Pure.

A version whose archive is kept stays what it was when upstream takes it out or offers other bytes under its name:
whoever runs it gets the same again. Of a source that is ours (`Source.is_ours`) the new bytes count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skerry.kube.records import record
from skerry.platform.base.chart_versions import leading_version, newest_first
from skerry.platform.catalog.charts.facts import Facts
from skerry.platform.catalog.sources.source import Offered
from skerry.platform.catalog.types import CatalogEntrySpec, Version

MOST_VERSIONS = 50
"""Of a chart, and those that are kept."""


@record
class Merged:
    """`spec` None: nothing is left of the chart."""

    spec: CatalogEntrySpec | None
    changed: Sequence[str] = ()
    """Versions that upstream offers with other bytes than are kept."""


def merge(catalog: str, old: CatalogEntrySpec | None, offered: Sequence[Offered], *, is_ours: bool) -> Merged:
    """`offered`: of one chart, which its leading version describes."""
    before = {one.version: one for one in old.versions} if old else {}
    upstream = {one.facts.version: one for one in offered}
    ordered = newest_first({*upstream, *before})
    versions, changed = [], []
    for version in ordered:
        there, kept = upstream.get(version), before.get(version)
        if there is None:
            if kept is not None and kept.archive:
                versions.append(kept.model_copy(update={"url": ""}))
        elif kept is not None and kept.archive and _differs(kept, there) and not is_ours:
            versions.append(kept)
            changed.append(version)
        else:
            versions.append(_version(there, kept))
    shown = [one for place, one in enumerate(versions) if place < MOST_VERSIONS or one.archive]
    if not shown:
        return Merged(None)
    return Merged(_entry(catalog, old, upstream, shown), changed)


def describe(catalog: str, facts: Facts, versions: Sequence[Version]) -> CatalogEntrySpec:
    """An entry of these versions that says of the chart what one of them does."""
    return CatalogEntrySpec(
        catalog=catalog,
        name=facts.name,
        display_name=facts.display_name,
        category=facts.category,
        description=facts.description,
        icon=facts.icon,
        home=facts.home,
        keywords=list(facts.keywords),
        maintainers=list(facts.maintainers),
        deprecated=facts.deprecated,
        versions=list(versions),
    )


def _entry(
    catalog: str,
    old: CatalogEntrySpec | None,
    upstream: Mapping[str, Offered],
    versions: Sequence[Version],
) -> CatalogEntrySpec:
    leading = leading_version(upstream)
    if leading is not None:
        return describe(catalog, upstream[leading].facts, versions)
    assert old is not None  # versions that upstream does not have are of the entry as it was
    return old.model_copy(update={"versions": list(versions)})


def _differs(kept: Version, there: Offered) -> bool:
    return bool(there.digest and kept.digest and there.digest != kept.digest)


def _version(there: Offered, kept: Version | None) -> Version:
    is_same = kept is not None and not _differs(kept, there)
    return Version(
        version=there.facts.version,
        app_version=there.facts.app_version or (kept.app_version if kept and is_same else ""),
        kube_version=there.facts.kube_version,
        created=there.created or (kept.created if kept else None),
        digest=there.digest or (kept.digest if kept else ""),
        url=there.url,
        archive=kept.archive if kept and is_same else "",
        pinned=kept.pinned if kept else False,
    )
