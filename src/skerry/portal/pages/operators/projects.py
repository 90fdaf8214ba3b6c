"""All projects in one table: who answers for them, what they use, when they end, what is the matter."""

from __future__ import annotations

from starlette.responses import Response

from skerry.kube.objects import Obj, name_of
from skerry.platform.projects.types import TIERS
from skerry.portal.pages.operators.common import page
from skerry.portal.pages.projects import attention, meters_of
from skerry.portal.web.viewer import Viewer

_MOST = 100
_SHOWN = ("requests.cpu", "requests.memory")


async def show(viewer: Viewer) -> Response:
    """Those that were looked for, the fullest first."""
    everything = await viewer.seeing.projects(viewer.person)
    wanted = viewer.query.get("q").lower()
    found = sorted((one for one in everything if wanted in _text(one)), key=_order)
    values = {"projects": found[:_MOST], "more": max(0, len(found) - _MOST), "total": len(everything), "wanted": wanted}
    functions = {"meters_of": lambda one: meters_of(one, _SHOWN)[:2], "attention": attention}
    if viewer.wants_part:
        return viewer.part("operators/projects_found.html", {**values, **functions})
    return await page(viewer, "projects", {**values, **functions})


async def tiers(viewer: Viewer) -> Response:
    """What there is to be given, and how many have it."""
    listed = sorted((await viewer.client.list(TIERS)).items, key=name_of)
    projects = await viewer.seeing.projects(viewer.person)
    having = {name_of(one): sum(two["spec"].get("tier") == name_of(one) for two in projects) for one in listed}
    return await page(viewer, "tiers", {"tiers": listed, "having": having})


def _text(project: Obj) -> str:
    spec = project["spec"]
    return f"{name_of(project)} {spec.get('owner', '')} {spec.get('tier', '')} {spec.get('description', '')}".lower()


def _order(project: Obj) -> tuple[bool, int, str]:
    fullest = max((one.percent or 0 for one in meters_of(project, _SHOWN)), default=0)
    return not attention(project), -fullest, name_of(project)
