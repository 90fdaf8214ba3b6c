"""What operators' pages share: their tabs. Who sees them is whom the cluster lets list its nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from skerry.kube.conditions import condition_of
from skerry.kube.errors import Forbidden
from skerry.kube.objects import Obj
from skerry.kube.resources import NODES
from skerry.platform.base.access import Action
from skerry.portal.web.language import N_
from skerry.portal.web.viewer import Viewer

HOME = "/portal/operators/"
NEEDS = Action("list", NODES)
_TABS = (
    ("health", HOME, N_("Health")),
    ("nodes", f"{HOME}nodes", N_("Machines")),
    ("requests", f"{HOME}requests", N_("Requests")),
    ("projects", f"{HOME}projects", N_("All projects")),
    ("tiers", f"{HOME}tiers", N_("Tiers")),
    ("catalogues", f"{HOME}catalogues", N_("Catalogues")),
)


async def page(viewer: Viewer, tab: str, values: Mapping[str, Any]) -> Response:
    """One of the tabs. Raises Forbidden."""
    if not await viewer.may(NEEDS):
        raise Forbidden(viewer._("These pages are for those who run the platform."))
    return await viewer.render(f"operators/{tab}.html", {"tab": tab, "tabs": _TABS, **values})


def wrong_with(obj: Obj) -> str:
    """What the condition Ready says when it is not true; "" when all is well."""
    ready = condition_of(obj, "Ready")
    if ready is None or ready.get("status") == "True":
        return ""
    return str(ready.get("message") or ready.get("reason") or "")
