"""Who may open an app: the chart's value `access`, which sign-on in front of the app goes by (annotation
`skerry.dev/access`, docs/resources/ingress.md). Where a chart has no such value, the address is everybody's who reaches
it, and the page says so."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from starlette.responses import Response

from skerry.kube.errors import Forbidden, NotFound, StatusError
from skerry.kube.records import record
from skerry.platform.catalog.types import GLOBAL_NAMESPACE
from skerry.platform.releases.types import RELEASES
from skerry.portal.launching.shelf import chart_of
from skerry.portal.pages.app.opened import App, opened
from skerry.portal.web.language import N_
from skerry.portal.web.submitted import NotTaken
from skerry.portal.web.viewer import Viewer

_LEVELS = {
    "owner": N_("Only who launched it"),
    "editors": N_("Who may change things in the project"),
    "members": N_("The project's members"),
    "everyone": N_("Everybody who has the address"),
}


@record
class Sharing:
    """`access`: one of `levels`; "" where the chart does not ask for sign-on. `levels`: those that the chart knows, and
    what they are called."""

    access: str
    levels: Mapping[str, str]


async def sharing_of(viewer: Viewer, app: App) -> Sharing:
    """How it is now."""
    asked = await _asked(viewer, app)
    levels = {name: label for name, label in _LEVELS.items() if name in asked.get("enum", _LEVELS)}
    set_to = (app.release["spec"].get("values") or {}).get("access", asked.get("default"))
    return Sharing(set_to if isinstance(set_to, str) and set_to in levels else "", levels)


async def share(viewer: Viewer) -> Response:
    """Have it opened by others."""
    app = await opened(viewer)
    wanted = viewer.fields.get("access")
    if wanted not in (await sharing_of(viewer, app)).levels:
        raise NotTaken(viewer._("Choose who may open it."))
    await viewer.client.patch(RELEASES, app.name, {"spec": {"values": {"access": wanted}}}, app.namespace)
    return viewer.redirect(app.path, viewer._("That is who may open it, as soon as it has been changed."))


async def _asked(viewer: Viewer, app: App) -> Mapping[str, Any]:
    """What the chart's schema says of its value `access`; {} when it says nothing, or is not known."""
    try:
        schema = await _schema_of(viewer, app)
    except StatusError:  # a catalogue that the person may not read, or a chart that is gone
        return {}
    properties = schema.get("properties")
    asked = properties.get("access") if isinstance(properties, dict) else None
    return asked if isinstance(asked, dict) and isinstance(asked.get("enum", []), list) else {}


async def _schema_of(viewer: Viewer, app: App) -> Mapping[str, Any]:
    """Of the version that runs, else of the newest, as the project's own catalogue or everybody's has it; {} when there
    is none. Raises StatusError."""
    chart = app.release["spec"].get("chart") or {}
    if not chart.get("catalog") or not chart.get("name"):
        return {}
    entry, runs = f"{chart['catalog']}.{chart['name']}", app.status.get("chart", "").removeprefix(f"{chart['name']}-")
    for version in (runs, ""):
        for namespace in (app.namespace, GLOBAL_NAMESPACE):
            with suppress(NotFound, Forbidden):
                return (await chart_of(viewer, namespace, entry, version)).schema
    return {}
