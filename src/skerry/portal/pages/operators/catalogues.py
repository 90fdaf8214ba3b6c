"""Catalogues: where charts come from, read again, left alone, added, taken away."""

from __future__ import annotations

import secrets
from typing import Any

from starlette.responses import Response

from skerry.kube.errors import NotFound
from skerry.kube.objects import name_of, namespace_of
from skerry.platform.catalog.types import CATALOGS, GLOBAL_NAMESPACE, REFRESH, SHIPPED
from skerry.portal.pages.operators.common import HOME, page, wrong_with
from skerry.portal.web.language import N_
from skerry.portal.web.submitted import NotTaken
from skerry.portal.web.viewer import Viewer

_PATH = f"{HOME}catalogues"
_TYPES = ("Http", "OCI", "Git", "Hosted")
"""Directories are added by command line: which paths are allowed is a setting of the machine."""


async def show(viewer: Viewer) -> Response:
    """The page."""
    listed = sorted(
        (await viewer.client.list(CATALOGS)).items,
        key=lambda one: (namespace_of(one) != GLOBAL_NAMESPACE, name_of(one)),
    )
    values = {"catalogues": listed, "types": _TYPES, "wrong_with": wrong_with, "everybodys": GLOBAL_NAMESPACE}
    return await page(viewer, "catalogues", {**values, "shipped": SHIPPED})


async def add(viewer: Viewer) -> Response:
    """A new one, for everybody."""
    fields = viewer.fields
    if fields.get("type") not in _TYPES:
        raise NotTaken(viewer._("Choose where the charts come from."))
    spec: dict[str, Any] = {"type": fields.get("type")}
    if fields.get("url"):
        spec["url"] = fields.get("url")
    if charts := fields.get("charts").replace(",", " ").split():
        spec["charts"] = charts
    metadata = {"name": fields.get("name"), "namespace": GLOBAL_NAMESPACE}
    await viewer.client.create(CATALOGS, {"metadata": metadata, "spec": spec}, GLOBAL_NAMESPACE)
    return viewer.redirect(_PATH, viewer._("%(name)s is being read for the first time.", name=fields.get("name")))


async def act(viewer: Viewer) -> Response:
    """Refresh, suspend, resume or remove one."""
    namespace, name, what = (viewer.path[one] for one in ("namespace", "name", "what"))
    if what == "refresh":
        change: dict[str, Any] = {"metadata": {"annotations": {REFRESH: secrets.token_hex(8)}}}
        said = N_("%(name)s is being read again.")
    elif what in ("suspend", "resume"):
        change = {"spec": {"suspended": what == "suspend"}}
        said = N_("%(name)s is read no more.") if what == "suspend" else N_("%(name)s is read again from now on.")
    elif what == "remove":
        await viewer.client.delete(CATALOGS, name, namespace)
        return viewer.redirect(_PATH, viewer._("%(name)s is gone; apps that came from it go on.", name=name))
    else:
        raise NotFound(viewer._("There is no such action."))
    await viewer.client.patch(CATALOGS, name, change, namespace)
    return viewer.redirect(_PATH, viewer._(said, name=name))
