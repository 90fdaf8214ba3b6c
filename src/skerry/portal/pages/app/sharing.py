"""Who may open an app: the chart's value `access`, which sign-on in front of the app goes by. Where a chart has no such
value, the address is everybody's who reaches it, and the page says so."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

from skerry.kube.errors import StatusError
from skerry.kube.records import record
from skerry.kube.resources import CONFIG_MAPS
from skerry.platform.catalog.types import CATALOG_ENTRIES, GLOBAL_NAMESPACE
from skerry.platform.releases.types import RELEASES
from skerry.portal.pages.app.opened import App, opened
from skerry.portal.web.language import N_
from skerry.portal.web.submitted import NotTaken
from skerry.portal.web.viewer import Viewer

LEVELS = {
    "owner": N_("Only the project's owner"),
    "members": N_("The project's members"),
    "everyone": N_("Everybody who has the address"),
}


@record
class Sharing:
    """`access`: one of `LEVELS`; "" where the chart does not ask for sign-on."""

    access: str
    url: str


async def sharing_of(viewer: Viewer, app: App) -> Sharing:
    """How it is now."""
    url = (app.release.get("status") or {}).get("url", "")
    set_to = (app.release["spec"].get("values") or {}).get("access")
    access = set_to if set_to in LEVELS else await _by_default(viewer, app)
    return Sharing(access, url)


async def share(viewer: Viewer) -> Response:
    """Have it opened by others."""
    app = await opened(viewer)
    wanted = viewer.fields.get("access")
    if wanted not in LEVELS:
        raise NotTaken(viewer._("Choose who may open it."))
    await viewer.client.patch(RELEASES, app.name, {"spec": {"values": {"access": wanted}}}, app.namespace)
    return viewer.redirect(app.path, viewer._("That is who may open it, as soon as it has been changed."))


async def _by_default(viewer: Viewer, app: App) -> str:
    """As the chart's own schema says."""
    try:
        schema = await schema_of(viewer, app)
    except StatusError:  # a catalogue that the person may not read, or a chart that is gone
        return ""
    asked = (schema.get("properties") or {}).get("access")
    default = asked.get("default") if isinstance(asked, dict) else None
    return default if default in LEVELS else ""


async def schema_of(viewer: Viewer, app: App) -> dict[str, Any]:
    """Of the values of the chart that runs; {} when it is not known. Raises StatusError."""
    chart = app.release["spec"].get("chart") or {}
    if not chart.get("catalog") or not chart.get("name"):
        return {}
    entry_name = f"{chart['catalog']}.{chart['name']}"
    runs = (app.release.get("status") or {}).get("chart", "")
    for namespace in (app.namespace, GLOBAL_NAMESPACE):
        entry = next((one for one in [await _entry(viewer, entry_name, namespace)] if one), None)
        if entry is None:
            continue
        versions = entry["spec"].get("versions") or []
        kept = [one for one in versions if one.get("archive")]
        version = next((one for one in kept if runs.endswith(one["version"])), kept[0] if kept else None)
        if version is None:
            return {}
        archive = await viewer.client.get(CONFIG_MAPS, version["archive"], namespace)
        schema = orjson.loads((archive.get("data") or {}).get("values.schema.json") or "{}")
        return schema if isinstance(schema, dict) else {}
    return {}


async def _entry(viewer: Viewer, name: str, namespace: str) -> dict[str, Any] | None:
    try:
        return await viewer.client.get(CATALOG_ENTRIES, name, namespace)
    except StatusError:
        return None
