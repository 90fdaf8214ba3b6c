"""The catalogue: every chart that the person may launch, found by typing, with its category and who keeps it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj, namespace_of
from skerry.platform.catalog.types import CATALOG_ENTRIES, CATALOGS, GLOBAL_NAMESPACE
from skerry.portal.launching.shelf import title_of
from skerry.portal.web.language import N_
from skerry.portal.web.pages import Navigation, Page, get
from skerry.portal.web.pictures import picture_of
from skerry.portal.web.viewer import Viewer

_MOST = 48
_LARGEST_PICTURE = 4096
"""Characters, on a page with many of them."""


async def show(viewer: Viewer) -> Response:
    """All, or those that were looked for."""
    entries = await viewer.seeing.listed(viewer.person, CATALOG_ENTRIES, more=(GLOBAL_NAMESPACE,))
    wanted, category = viewer.query.get("q"), viewer.query.get("category")
    matching = found(entries, wanted)
    categories = Counter(category_of(one) for one in matching if category_of(one))
    chosen = [one for one in matching if not category or category_of(one) == category]
    values: dict[str, Any] = {
        "entries": chosen[:_MOST],
        "more": max(0, len(chosen) - _MOST),
        "total": len(entries),
        "wanted": wanted,
        "category": category,
        "categories": sorted(categories.items()),
        "title_of": title_of,
        "picture_of": lambda one: picture_of(one, _LARGEST_PICTURE),
        "catalogs": await _in_trouble(viewer),
    }
    if viewer.wants_part:
        return viewer.part("catalogue_found.html", values)
    return await viewer.render("catalogue.html", values)


async def _in_trouble(viewer: Viewer) -> list[tuple[str, str]]:
    """Catalogues that could not be read, and why."""
    catalogs = await viewer.seeing.listed(viewer.person, CATALOGS, more=(GLOBAL_NAMESPACE,))
    troubled = []
    for one in catalogs:
        ready = condition_of(one, "Ready")
        if ready is not None and ready["status"] == "False":
            troubled.append((one["spec"].get("displayName") or one["metadata"]["name"], str(ready.get("message", ""))))
    return troubled


def category_of(entry: Obj) -> str:
    """As its Chart.yaml says; "" for none."""
    return str(entry["spec"].get("category") or "")


def found(entries: Sequence[Obj], wanted: str) -> list[Obj]:
    """Those that have all words: in their names first, then in what is said of them. Deprecated ones are last."""
    words = wanted.lower().split()
    ranked = [(rank, one) for one in entries if (rank := _rank(one, words)) is not None]
    return [one for _, one in sorted(ranked, key=lambda each: (*each[0], title_of(each[1]).lower()))]


def _rank(entry: Obj, words: Sequence[str]) -> tuple[bool, int, bool] | None:
    spec = entry["spec"]
    names = f"{spec.get('name', '')} {spec.get('displayName', '')}".lower()
    said = f"{spec.get('description', '')} {' '.join(spec.get('keywords') or ())} {spec.get('category', '')}".lower()
    if any(word not in names and word not in said for word in words):
        return None
    misses = sum(word not in names for word in words)
    return bool(spec.get("deprecated")), misses, namespace_of(entry) == GLOBAL_NAMESPACE and misses > 0


PAGE = Page(
    handled=(get("/portal/catalogue/", show),),
    navigation=Navigation(N_("Catalogue"), "/portal/catalogue/", 20, "catalogue"),
    caches=(CATALOGS, CATALOG_ENTRIES),
)
