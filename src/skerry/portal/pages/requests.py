"""Asking: for a project, for more, for longer. Who asks is the person; who decides is whoever may."""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from skerry.kube.errors import BadRequest, Forbidden, Invalid
from skerry.kube.objects import Obj, name_of
from skerry.kube.refusals import plain
from skerry.platform.projects.types import PROJECT_REQUESTS, TIERS
from skerry.portal.web.language import N_
from skerry.portal.web.pages import Page, get, post
from skerry.portal.web.submitted import Fields, NotTaken
from skerry.portal.web.viewer import Viewer

KINDS = {"Project": N_("A project"), "Quota": N_("More"), "Extension": N_("More time")}
_AMOUNTS = {
    "requests.cpu": (N_("CPU"), N_("Cores, all together: 8")),
    "requests.memory": (N_("Memory"), N_("All together, as in 16Gi")),
    "requests.storage": (N_("Storage"), N_("All together, as in 100Gi")),
    "requests.nvidia.com/gpu": (N_("GPUs"), N_("All together: 1")),
}
_HOURS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


async def show(viewer: Viewer) -> Response:
    """The form."""
    return await _page(viewer, viewer.query, "")


async def ask(viewer: Viewer) -> Response:
    """Make the request."""
    spec = await _spec(viewer)
    name = f"{spec['project'][:200]}-{spec['kind'].lower()}-{''.join(secrets.choice(_LETTERS) for _ in range(5))}"
    try:
        await viewer.client.create(PROJECT_REQUESTS, {"metadata": {"name": name}, "spec": spec})
    except (Invalid, BadRequest, Forbidden) as refused:
        return await _page(viewer, viewer.fields, plain(refused.message))
    said = viewer._("Asked for. You see here as soon as it is decided.")
    project = quote(spec["project"], safe="")
    return viewer.redirect(
        f"/portal/?asked={project}" if spec["kind"] == "Project" else f"/portal/projects/{project}", said
    )


async def _spec(viewer: Viewer) -> dict[str, Any]:
    """Raises NotTaken."""
    fields = viewer.fields
    kind, project = fields.get("kind"), fields.get("project")
    if kind not in KINDS or not project:
        raise NotTaken(viewer._("Say what you ask for, and for which project."))
    spec: dict[str, Any] = {"kind": kind, "project": project, "reason": fields.get("reason")}
    if kind == "Project":
        spec["tier"] = fields.get("tier")
    elif kind == "Extension":
        days = fields.number("days")
        if days is None:
            raise NotTaken(viewer._("Say how many days."))
        spec["days"] = days
    else:
        spec |= _more(viewer, fields)
        held = await viewer.seeing.project(viewer.person, project)
        spec["quota"] = with_limits(spec["quota"], ((held or {}).get("status") or {}).get("quota") or {})
    return spec


def with_limits(asked: Mapping[str, str], held: Mapping[str, Any]) -> dict[str, str]:
    """Where a project's limits are bounded as well, what is asked for could not be used without these."""
    limits = {name.replace("requests.", "limits.", 1): amount for name, amount in asked.items()}
    return {**asked, **{name: amount for name, amount in limits.items() if name not in asked and name in held}}


def _more(viewer: Viewer, fields: Fields) -> dict[str, Any]:
    quota = {name: fields.get(f"q/{name}") for name in _AMOUNTS if fields.get(f"q/{name}")}
    hours = fields.get("cpuHours")
    if hours and not _HOURS.fullmatch(hours):
        raise NotTaken(viewer._("CPU-hours are a number."))
    if not quota and not hours:
        raise NotTaken(viewer._("Say what you need more of."))
    return {"quota": quota, "budgets": {"cpuHours": float(hours)} if hours else {}}


async def _page(viewer: Viewer, fields: Fields, why: str) -> Response:
    tiers = sorted((one for one in (await viewer.client.list(TIERS)).items), key=_manual_last)
    projects = await viewer.seeing.projects(viewer.person)
    kind = fields.get("kind", "Project")
    wanted = fields.get("project")
    values = {
        "kind": kind if kind in KINDS else "Project",
        "kinds": KINDS,
        "fields": fields,
        "why": why,
        "tiers": tiers,
        "projects": [name_of(one) for one in projects],
        "project": next((name_of(one) for one in projects if _is_of(one, wanted)), wanted),
        "amounts": _AMOUNTS,
        "quota": next(((one.get("status") or {}).get("quota") or {} for one in projects if _is_of(one, wanted)), {}),
        "command_text": _command(kind, wanted),
    }
    return await viewer.render("request.html", values, status=422 if why else 200)


def _is_of(project: Obj, wanted: str) -> bool:
    """By its name, or that of one of its namespaces."""
    return wanted == name_of(project) or wanted in ((project.get("status") or {}).get("namespaces") or ())


def _manual_last(tier: Obj) -> tuple[bool, str]:
    return tier["spec"].get("approval") != "Automatic", name_of(tier)


def _command(kind: str, project: str) -> str:
    words = {
        "Project": ["project", project or "NAME", "--tier", "free", "--reason", "..."],
        "Quota": ["quota", project or "NAME", "--set", "requests.cpu=8", "--reason", "..."],
        "Extension": ["extension", project or "NAME", "--days", "30"],
    }
    return shlex.join(["skerry", "requests", "create", *words.get(kind, words["Project"])])


PAGE = Page(
    handled=(get("/portal/requests/new", show), post("/portal/requests/new", ask)), caches=(TIERS, PROJECT_REQUESTS)
)
