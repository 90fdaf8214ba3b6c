"""The home page: the person's projects, what they use of what they have, what needs attention."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from starlette.responses import Response

from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj, name_of, namespace_of
from skerry.kube.records import record
from skerry.platform.projects.types import PROJECTS
from skerry.platform.releases.types import RELEASES
from skerry.portal.web.language import N_
from skerry.portal.web.pages import Navigation, Page, get
from skerry.portal.web.seeing import namespaces_of
from skerry.portal.web.viewer import Viewer
from skerry.portal.web.words import LABELS, share
from skerry.portal.words.releases import How, release_how

_ON_CARDS = ("requests.cpu", "requests.memory", "requests.storage", "requests.nvidia.com/gpu")
_MOST = 24
"""Cards on one page; the rest is found by its name."""


@record
class Meter:
    """How much of something is used."""

    label: str
    resource: str
    used: str
    hard: str
    percent: int | None


def meters_of(project: Obj, only: Sequence[str] = ()) -> list[Meter]:
    """Of quota and budgets; of the quota only those of `only`, unless it is empty."""
    status = project.get("status") or {}
    return [*_quota(status.get("quota") or {}, only), *_budgets(status.get("budgets") or {})]


def _quota(quota: Obj, only: Sequence[str]) -> Iterable[Meter]:
    for resource in only or sorted(quota, key=_place):
        amount = quota.get(resource)
        if amount is not None:
            used, hard = str(amount["used"]), str(amount["hard"])
            yield Meter(LABELS.get(resource, resource), resource, used, hard, share(used, hard))


def _budgets(budgets: Obj) -> Iterable[Meter]:
    for name, spent in budgets.items():
        if spent.get("limit") is not None:
            used, limit = f"{spent['used']:.2f}", f"{spent['limit']:.2f}"
            yield Meter(LABELS.get(name, name), name, used, limit, share(used, limit))


def _place(resource: str) -> tuple[int, str]:
    known = list(LABELS)
    return (known.index(resource) if resource in known else len(known), resource)


def attention(project: Obj) -> str:
    """What is the matter with it, for its people; "" when all is well."""
    ready = condition_of(project, "Ready")
    if ready is not None and ready["status"] == "False":
        return str(ready.get("message", ""))
    over = condition_of(project, "QuotaExceeded")
    return str(over.get("message", "")) if over is not None and over["status"] == "True" else ""


def role_in(viewer: Viewer, project: Obj) -> str:
    """The person's highest role there; "" for none."""
    spec, person = project["spec"], viewer.person
    if spec.get("owner") == person.user:
        return "owner"
    held = {
        one["role"]
        for one in spec.get("members") or ()
        if one.get("user") == person.user or one.get("group") in person.groups
    }
    return next((role for role in ("owner", "editor", "viewer") if role in held), "")


async def show(viewer: Viewer) -> Response:
    """All of them, or those that were looked for."""
    everything = await viewer.seeing.projects(viewer.person)
    wanted = viewer.query.get("q").lower()
    found = [one for one in everything if wanted in _text_of(one)]
    found.sort(key=lambda one: (not role_in(viewer, one), name_of(one)))
    values: dict[str, Any] = {
        "projects": found[:_MOST],
        "more": max(0, len(found) - _MOST),
        "total": len(everything),
        "wanted": wanted,
        "awaited": _awaited(viewer.query.get("asked"), everything),
    }
    values["meters_of"], values["attention"] = lambda one: meters_of(one, _ON_CARDS), attention
    values["apps_in"] = await _apps(viewer)
    values["role_in"] = lambda one: role_in(viewer, one)
    if viewer.wants_part:
        return viewer.part("projects_found.html", values)
    return await viewer.render("projects.html", values)


def _awaited(asked: str, projects: Sequence[Obj]) -> str:
    """The project that the person has just asked for, until it is there and settled."""
    there = next((one for one in projects if name_of(one) == asked), None)
    phase = (there.get("status") or {}).get("phase", "Pending") if there is not None else "Pending"
    return asked if phase == "Pending" else ""


async def _apps(viewer: Viewer) -> Callable[[Obj], list[tuple[Obj, How]]]:
    """Of a project: its releases that the person may see, and how they are."""
    by_namespace: dict[str, list[Obj]] = {}
    for one in await viewer.seeing.listed(viewer.person, RELEASES):
        by_namespace.setdefault(namespace_of(one), []).append(one)

    def apps_in(project: Obj) -> list[tuple[Obj, How]]:
        found = [one for place in namespaces_of(project) for one in by_namespace.get(place, ())]
        return [(one, release_how(one)) for one in sorted(found, key=name_of)]

    return apps_in


def _text_of(project: Obj) -> str:
    spec = project["spec"]
    return f"{name_of(project)} {spec.get('description', '')} {spec.get('owner', '')}".lower()


PAGE = Page(
    handled=(get("/portal/", show),),
    navigation=Navigation(N_("Projects"), "/portal/", 10, "projects"),
    caches=(PROJECTS, RELEASES),
)
