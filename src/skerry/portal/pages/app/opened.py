"""What all pages of an app begin with: the Release as the person may read it, what runs for it, what may be done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from skerry.kube.conditions import condition_of
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, Resource, labels_of, name_of, namespace_of
from skerry.kube.records import record
from skerry.kube.resources import NAMESPACES, PERSISTENT_VOLUME_CLAIMS, PODS
from skerry.platform.base.access import Action
from skerry.platform.identity.gateway.asking import identity_of
from skerry.platform.identity.gateway.guard import Underway
from skerry.platform.releases.types import RELEASES
from skerry.portal.apps.parts import WORKLOADS, Parts, parts_of
from skerry.portal.streams.reach import Container, Reach, asked_for
from skerry.portal.web.language import N_
from skerry.portal.web.viewer import Viewer
from skerry.portal.words.releases import release_how

_PROJECT = "skerry.dev/project"
_TABS = (
    ("overview", "", N_("Overview")),
    ("logs", "/logs", N_("Logs")),
    ("terminal", "/terminal", N_("Terminal")),
    ("files", "/files", N_("Files")),
    ("usage", "/usage", N_("Usage")),
    ("values", "/values", N_("Values")),
    ("history", "/history", N_("History")),
)
"""(name, path below the app's, label)."""


@record
class App:
    """A Release, and where what it made runs."""

    release: Obj
    namespace: str
    name: str
    target: str
    """The namespace of its pods."""
    helm_name: str
    project: str

    @property
    def path(self) -> str:
        """Of its pages."""
        return f"/portal/apps/{self.namespace}/{self.name}"

    @property
    def spec(self) -> Obj:
        """As the Release has it."""
        spec: Obj = self.release["spec"]
        return spec

    @property
    def status(self) -> Obj:
        """As the Release has it, {} before there is one."""
        return self.release.get("status") or {}

    @property
    def chart(self) -> str:
        """The chart's name or where it is, "" for manifests."""
        chart = self.spec.get("chart") or {}
        return str(chart.get("name") or chart.get("url") or "")

    @property
    def upstream_trouble(self) -> str:
        """Why what it comes from cannot be read, while what was there before goes on; "" when it can."""
        told = condition_of(self.release, "Fetched") or {}
        return str(told.get("message", "")) if told.get("status") == "False" and self.status.get("revision") else ""


async def opened(viewer: Viewer) -> App:
    """That which the path names. Raises NotFound, Forbidden."""
    namespace, name = viewer.path["namespace"], viewer.path["name"]
    return app_of(viewer, await viewer.client.get(RELEASES, name, namespace))


def app_of(viewer: Viewer, release: Obj) -> App:
    """A Release as an app."""
    spec, namespace, name = release["spec"], namespace_of(release), name_of(release)
    held = viewer.site.informers.of(NAMESPACES).get(namespace)
    project = labels_of(held).get(_PROJECT, "") if held else ""
    target = spec.get("targetNamespace") or namespace
    return App(release, namespace, name, target, spec.get("releaseName") or name, project)


async def parts(viewer: Viewer, app: App, *more: Resource) -> Parts:
    """What runs for it now. `more`: what else to look at, e.g. claims."""
    resources = (*WORKLOADS, *more)
    lists = await asyncio.gather(*(viewer.client.list(one, app.target) for one in resources))
    listed = {resource: one.items for resource, one in zip(resources, lists, strict=True)}
    return parts_of(app.name, listed, app.helm_name)


async def everything(viewer: Viewer, app: App) -> Parts:
    """With the claims that hold its data."""
    return await parts(viewer, app, PERSISTENT_VOLUME_CLAIMS)


async def page(
    viewer: Viewer, app: App, tab: str, values: Mapping[str, Any], *, policy: dict[str, str] | None = None
) -> Response:
    """One of the tabs. `policy`: see `web.headers`."""
    common = {"app": app, "how": release_how(app.release), "tab": tab, "tabs": await tabs(viewer, app)}
    whole = {**common, "may": await mays(viewer, app), **values}
    return await viewer.render(f"app/{tab}.html", whole, policy=policy)


async def mays(viewer: Viewer, app: App) -> dict[str, bool]:
    """What the person may do here, for what is offered; the cluster decides again when it is done."""
    actions = {
        "change": Action("patch", RELEASES, app.name, app.namespace),
        "remove": Action("delete", RELEASES, app.name, app.namespace),
        "enter": Action("create", PODS, "", app.target, "exec"),
        "read_logs": Action("get", PODS, "", app.target, "log"),
    }
    allowed = await asyncio.gather(*(viewer.may(one) for one in actions.values()))
    return dict(zip(actions, allowed, strict=True))


async def tabs(viewer: Viewer, app: App) -> Sequence[tuple[str, str, str]]:
    may = await mays(viewer, app)
    hidden = {"terminal", "files"} if not may["enter"] else set()
    return [(name, app.path + below, label) for name, below, label in _TABS if name not in hidden]


@record
class Chosen:
    """A container that a page looks into, and those that there are."""

    at: Container | None
    all: Sequence[Container]


def chosen(viewer: Viewer, app: App, pods: Sequence[Obj], *, running: bool) -> Chosen:
    """As the query says, or the first; None when there is none. `running`: only those that run now."""
    there = [one for pod in pods for one in _containers(app, pod, running=running)]
    pod, name = viewer.query.get("pod"), viewer.query.get("container")
    at = next((one for one in there if one.pod == pod and name in ("", one.name)), None)
    return Chosen(at or (there[0] if there and not pod else None), there)


async def container(viewer: Viewer, app: App) -> Container:
    """Which the query names, for streams: it must be one of the app's. Raises NotFound."""
    found = chosen(viewer, app, (await parts(viewer, app)).pods, running=False)
    if found.at is None:
        raise NotFound(viewer._("That pod of the app is gone: open the page again."))
    return found.at


def reach(viewer: Viewer) -> Reach:
    """For streams, as the person."""
    return Reach(viewer.site.client.forwarder(), identity_of(viewer.person))


async def access_ended(viewer: Viewer, target: str) -> str:
    """Returns why, when the person may not go on with what was asked of the API at `target`."""
    return await viewer.site.guard.ended(Underway(viewer.person, asked_for(target)))


def _containers(app: App, pod: Obj, *, running: bool) -> list[Container]:
    status = pod.get("status") or {}
    states = {
        one["name"]: one.get("state") or {}
        for group in ("containerStatuses", "initContainerStatuses")
        for one in status.get(group) or ()
    }
    spec = pod["spec"]
    named = [one["name"] for one in (*spec["containers"], *(spec.get("initContainers") or ()))]
    begun = {name for name, state in states.items() if "running" in state or (not running and "terminated" in state)}
    if not running:
        begun |= {one["name"] for one in status.get("containerStatuses") or () if one.get("restartCount")}
    return [Container(app.target, name_of(pod), name) for name in named if name in begun]
