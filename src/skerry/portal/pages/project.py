"""One project: its apps, what it uses, who is in it, what was asked for it, what happened to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from starlette.responses import Response

from skerry.kube.errors import Conflict, NotFound
from skerry.kube.objects import Obj, name_of, namespace_of
from skerry.platform.base.access import Action
from skerry.platform.projects.types import PROJECT_REQUESTS, PROJECTS
from skerry.platform.releases.types import RELEASES
from skerry.portal.pages.projects import attention, meters_of, role_in
from skerry.portal.pages.requests import KINDS
from skerry.portal.web.language import N_
from skerry.portal.web.pages import Page, get, post
from skerry.portal.web.seeing import namespaces_of
from skerry.portal.web.submitted import NotTaken
from skerry.portal.web.viewer import Viewer
from skerry.portal.words.releases import release_how

_HAPPENINGS, _ATTEMPTS = 12, 8
Members = Sequence[Obj]
_FIRST = ("requests.cpu", "requests.memory", "requests.storage", "requests.nvidia.com/gpu", "cpuHours", "gpuHours")
_SAID = {
    "Hibernated": N_("It is put to sleep: nothing runs, all data is kept."),
    "Active": N_("It is asked to wake."),
}
_ROLES = {"owner": N_("Owner"), "editor": N_("Editor"), "viewer": N_("Viewer")}


async def show(viewer: Viewer) -> Response:
    """The page."""
    project = await viewer.client.get(PROJECTS, viewer.path["name"])
    name, meters = name_of(project), meters_of(project)
    values: dict[str, Any] = {
        "project": project,
        "name": name,
        "phase": (project.get("status") or {}).get("phase", "Pending"),
        "meters": [one for one in meters if one.resource in _FIRST],
        "more_meters": [one for one in meters if one.resource not in _FIRST],
        "matter": attention(project),
        "role": role_in(viewer, project),
        "roles": _ROLES,
        "apps": [(one, release_how(one)) for one in await apps_of(viewer, project)],
        "members": project["spec"].get("members") or (),
        "requests": await _requests(viewer, name),
        "happenings": list(reversed((project.get("status") or {}).get("history") or ()))[:_HAPPENINGS],
        "may_change": await viewer.may(Action("update", PROJECTS, name)),
        "request_kinds": KINDS,
        "may_launch": await _may_launch(viewer, project),
    }
    return await viewer.render("project.html", values)


async def apps_of(viewer: Viewer, project: Obj) -> Sequence[Obj]:
    """Releases in its namespaces, as far as the person may list them."""
    wanted = [Action("list", RELEASES, namespace=one) for one in namespaces_of(project)]
    allowed = await viewer.site.rights.which(viewer.person, wanted)
    cached = viewer.site.informers.of(RELEASES)
    found = [one for action in allowed for one in cached.list(action.namespace)]
    return sorted(found, key=lambda one: (name_of(one), namespace_of(one)))


async def _may_launch(viewer: Viewer, project: Obj) -> bool:
    wanted = [Action("create", RELEASES, namespace=one) for one in namespaces_of(project)]
    return bool(await viewer.site.rights.which(viewer.person, wanted))


async def _requests(viewer: Viewer, project: str) -> list[Obj]:
    """Those about it that the person may see, the newest first."""
    cached = [one for one in viewer.site.informers.of(PROJECT_REQUESTS).list() if one["spec"]["project"] == project]
    seen = await viewer.site.rights.which(
        viewer.person, (Action("get", PROJECT_REQUESTS, name_of(one)) for one in cached)
    )
    names = {one.name for one in seen}
    found = [one for one in cached if name_of(one) in names]
    return sorted(found, key=lambda one: str(one["metadata"]["creationTimestamp"]), reverse=True)[:_HAPPENINGS]


async def add_member(viewer: Viewer) -> Response:
    """Somebody comes in, or gets another role."""
    kind, who, role = viewer.fields.get("kind", "user"), viewer.fields.get("who"), viewer.fields.get("role")
    if not who or kind not in ("user", "group") or role not in _ROLES:
        raise NotTaken(viewer._("Say who it is, and choose a role."))
    await _change_members(
        viewer, lambda there: [*(one for one in there if one.get(kind) != who), {kind: who, "role": role}]
    )
    return viewer.redirect(_path(viewer), viewer._("%(who)s is in the project now.", who=who))


async def remove_member(viewer: Viewer) -> Response:
    """Somebody goes; rights go at once."""
    kind, who = viewer.fields.get("kind"), viewer.fields.get("who")

    def without(there: Members) -> Members:
        others = [one for one in there if kind not in ("user", "group") or one.get(kind) != who]
        if len(others) == len(there):
            raise NotFound(viewer._("%(who)s is not among the members.", who=who))
        return others

    await _change_members(viewer, without)
    return viewer.redirect(_path(viewer), viewer._("%(who)s is out.", who=who))


async def change_state(viewer: Viewer) -> Response:
    """Put it to sleep, or wake it."""
    state = "Hibernated" if viewer.fields.get("state") == "Hibernated" else "Active"
    await viewer.client.patch(PROJECTS, viewer.path["name"], {"spec": {"state": state}})
    return viewer.redirect(_path(viewer), viewer._(_SAID[state]))


async def _change_members(viewer: Viewer, change: Callable[[Members], Members]) -> None:
    """Of what is there at that moment: two owners who change it at once do not undo each other. Raises Conflict."""
    name = viewer.path["name"]
    for attempt in range(_ATTEMPTS):
        project = await viewer.client.get(PROJECTS, name)
        metadata = {"resourceVersion": project["metadata"]["resourceVersion"]}
        members = list(change(project["spec"].get("members") or []))
        try:
            await viewer.client.patch(PROJECTS, name, {"metadata": metadata, "spec": {"members": members}})
        except Conflict:
            if attempt + 1 == _ATTEMPTS:
                raise
        else:
            return


def _path(viewer: Viewer) -> str:
    return f"/portal/projects/{viewer.path['name']}"


PAGE = Page(
    handled=(
        get("/portal/projects/{name}", show),
        post("/portal/projects/{name}/members", add_member),
        post("/portal/projects/{name}/members/remove", remove_member),
        post("/portal/projects/{name}/state", change_state),
    ),
    caches=(PROJECTS, PROJECT_REQUESTS, RELEASES),
)
