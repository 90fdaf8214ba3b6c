"""What an app was given: its values as YAML, the difference that a change makes before it is made, its version."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from skerry.kube.errors import Conflict, Invalid
from skerry.kube.objects import Obj
from skerry.platform.releases.types import RELEASES
from skerry.portal.apps.revisions import as_yaml, difference
from skerry.portal.forms.typed import Unreadable, values_of
from skerry.portal.pages.app.opened import App, opened, page
from skerry.portal.web.language import N_
from skerry.portal.web.submitted import NotTaken
from skerry.portal.web.viewer import Viewer


async def show(viewer: Viewer) -> Response:
    """The page."""
    app = await opened(viewer)
    return await _page(viewer, app, as_yaml(app.release["spec"].get("values")))


async def compare(viewer: Viewer) -> Response:
    """What a change would change, as it is typed."""
    app = await opened(viewer)
    return viewer.part("app/values_difference.html", await _compared(viewer, app, viewer.fields.all("values")))


async def change(viewer: Viewer) -> Response:
    """Write them. Nothing is overwritten that somebody else wrote meanwhile."""
    app = await opened(viewer)
    written = (viewer.fields.all("values") or [""])[-1]
    try:
        values = read(viewer, written)
    except NotTaken as refused:
        return await _page(viewer, app, written, str(refused))
    patch: list[Obj] = [
        {"op": "test", "path": "/metadata/generation", "value": viewer.fields.number("generation") or 0},
        {"op": "add", "path": "/spec/values", "value": values},
        *_version(app.release, viewer.fields.get("version")),
    ]
    try:
        await viewer.client.patch(RELEASES, app.name, patch, app.namespace)
    except (Conflict, Invalid) as error:
        newer = await opened(viewer)
        if newer.release["metadata"]["generation"] != app.release["metadata"]["generation"] or "test" in error.message:
            return await _page(viewer, newer, written, viewer._(_MEANWHILE))
        return await _page(viewer, app, written, error.message)
    return viewer.redirect(app.path, viewer._("It is being changed."))


_MEANWHILE = N_(
    "Somebody else changed it meanwhile. What is compared below is with how it is now: look again, then save."
)


def read(viewer: Viewer, written: str) -> dict[str, Any]:
    """What was typed. Raises NotTaken, with the place."""
    try:
        return values_of(written)
    except Unreadable as error:
        where = viewer._("line %(line)s: ", line=error.line) if error.line else ""
        raise NotTaken(where + str(error)) from None


async def _page(viewer: Viewer, app: App, written: str, wrong: str = "") -> Response:
    compared = await _compared(viewer, app, [written])
    chart = app.release["spec"].get("chart") or {}
    more = {"written": written, "chart": chart, **compared, "wrong": wrong or compared["wrong"]}
    return await page(viewer, app, "values", more)


async def _compared(viewer: Viewer, app: App, typed: list[str]) -> dict[str, Any]:
    return await asyncio.to_thread(_compare, viewer, app, typed)


def _compare(viewer: Viewer, app: App, typed: list[str]) -> dict[str, Any]:
    before = as_yaml(app.release["spec"].get("values"))
    try:
        after = as_yaml(read(viewer, typed[-1] if typed else ""))
    except NotTaken as refused:
        return {"lines": [], "wrong": str(refused)}
    return {"lines": difference(before, after), "wrong": ""}


def _version(release: Obj, wanted: str) -> list[Obj]:
    chart = release["spec"].get("chart")
    if chart is None or wanted == chart.get("version", ""):
        return []
    return [{"op": "add", "path": "/spec/chart/version", "value": wanted[:100]}]
