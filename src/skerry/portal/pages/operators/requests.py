"""Requests for projects, for more, for longer: those that wait, decided here; those that were."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from skerry.kube.objects import Obj, name_of
from skerry.platform.base.access import Action
from skerry.platform.projects.types import PROJECT_REQUESTS
from skerry.portal.pages.operators.common import HOME, page
from skerry.portal.web.language import N_
from skerry.portal.web.submitted import NotTaken
from skerry.portal.web.viewer import Viewer

_DECIDED = 50


async def show(viewer: Viewer) -> Response:
    """The page."""
    listed = sorted((await viewer.client.list(PROJECT_REQUESTS)).items, key=_made, reverse=True)
    waiting = [one for one in listed if not one["spec"].get("decision")]
    may = await asyncio.gather(*(viewer.may(Action("approve", PROJECT_REQUESTS, name_of(one))) for one in waiting))
    decided = [one for one in listed if one["spec"].get("decision")][:_DECIDED]
    values = {"waiting": list(zip(waiting, may, strict=True)), "decided": decided, "asked": asked}
    return await page(viewer, "requests", values)


async def decide(viewer: Viewer) -> Response:
    """Approve or deny one."""
    name, decision, answer = viewer.path["name"], viewer.fields.get("decision"), viewer.fields.get("answer")
    if decision not in ("Approved", "Denied"):
        raise NotTaken(viewer._("There is no such action."))
    if decision == "Denied" and not answer:
        raise NotTaken(viewer._("Say why not: the person who asked is shown it."))
    await viewer.client.patch(PROJECT_REQUESTS, name, {"spec": {"decision": decision, "answer": answer}})
    said = N_("%(name)s is granted.") if decision == "Approved" else N_("%(name)s is refused.")
    return viewer.redirect(f"{HOME}requests", viewer._(said, name=name))


def asked(request: Obj) -> list[tuple[str, str]]:
    """What is wanted, as (name, amount)."""
    spec = request["spec"]
    wanted = [("tier", str(spec["tier"]))] if spec.get("tier") else []
    wanted += [(name, str(amount)) for name, amount in (spec.get("quota") or {}).items()]
    wanted += [(name, str(amount)) for name, amount in (spec.get("budgets") or {}).items() if amount is not None]
    return [*wanted, *([("days", str(spec["days"]))] if spec.get("days") else [])]


def _made(request: Obj) -> str:
    return str(request["metadata"].get("creationTimestamp", ""))
