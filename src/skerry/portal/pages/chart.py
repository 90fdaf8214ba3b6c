"""One chart: what it is, which versions there are, who keeps it, what it says of itself."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from skerry.kube.objects import name_of, namespace_of
from skerry.platform.catalog.types import GLOBAL_NAMESPACE
from skerry.portal.launching.shelf import chart_of, title_of
from skerry.portal.web.markdown import as_html
from skerry.portal.web.pages import Page, get
from skerry.portal.web.pictures import picture_of
from skerry.portal.web.viewer import Viewer


async def show(viewer: Viewer) -> Response:
    """A version of it, by default the newest."""
    chart = await chart_of(viewer, viewer.path["namespace"], viewer.path["entry"], viewer.query.get("version"))
    spec = chart.entry["spec"]
    values = {
        "chart": chart,
        "spec": spec,
        "title": title_of(chart.entry),
        "picture_url": picture_of(chart.entry),
        "readme": await asyncio.to_thread(as_html, chart.readme),
        "this": next(one for one in spec["versions"] if one["version"] == chart.version),
        "launch": f"/portal/launch/{namespace_of(chart.entry)}/{name_of(chart.entry)}",
        "of_project": "" if chart.is_everybodys else namespace_of(chart.entry),
        "links": _links(spec),
        "everybodys": GLOBAL_NAMESPACE,
    }
    return await viewer.render("chart.html", values)


def _links(spec: dict[str, object]) -> list[str]:
    """Where it is at home: only what a browser opens as a page."""
    home = str(spec.get("home") or "")
    return [home] if home.startswith(("https://", "http://")) else []


PAGE = Page(handled=(get("/portal/catalogue/{namespace}/{entry}", show),))
