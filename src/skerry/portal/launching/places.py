"""Where the person may launch something: namespaces of projects, with what these have left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skerry.kube.objects import name_of
from skerry.kube.records import record
from skerry.platform.base.access import Action
from skerry.platform.projects.types import TIERS
from skerry.platform.releases.types import RELEASES
from skerry.portal.web.seeing import namespaces_of
from skerry.portal.web.viewer import Viewer

_FEW = 100
"""More places are not offered to choose from: an operator launches in projects that are named."""


@record
class Place:
    """One namespace. `quota`: the project's `status.quota`; `defaults`: requests of containers that say nothing."""

    namespace: str
    project: str
    phase: str
    quota: Mapping[str, Any]
    defaults: Mapping[str, str]


async def places_of(viewer: Viewer) -> list[Place]:
    """Those where the person may make Releases; the person's own projects first."""
    projects = await viewer.seeing.projects(viewer.person)
    projects.sort(key=lambda one: one["spec"].get("owner") != viewer.person.user)
    names = [(project, namespace) for project in projects[:_FEW] for namespace in namespaces_of(project)]
    wanted = [Action("create", RELEASES, namespace=namespace) for _, namespace in names]
    allowed = {one.namespace for one in await viewer.site.rights.which(viewer.person, wanted)}
    return [_place(viewer, project, namespace) for project, namespace in names if namespace in allowed]


async def place_of(viewer: Viewer, namespace: str) -> Place | None:
    """One of them."""
    if not await viewer.may(Action("create", RELEASES, namespace=namespace)):
        return None
    for project in await viewer.seeing.projects(viewer.person):
        if namespace in namespaces_of(project):
            return _place(viewer, project, namespace)
    return None


def _place(viewer: Viewer, project: dict[str, Any], namespace: str) -> Place:
    status = project.get("status") or {}
    tier = viewer.site.informers.of(TIERS).get(project["spec"].get("tier", "free")) or {}
    limits = (tier.get("spec") or {}).get("limits") or {}
    defaults = {**(limits.get("default") or {}), **(limits.get("defaultRequest") or {})}
    return Place(namespace, name_of(project), status.get("phase", "Pending"), status.get("quota") or {}, defaults)
