"""How a launch goes on, told while it does: from asking to the address where the app is opened.

The page is the same without scripts: it is then loaded anew by hand. What is shown is read as the person each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from starlette.responses import Response

from skerry.kube.conditions import condition_of
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, is_deleting
from skerry.kube.records import record
from skerry.kube.resources import PODS
from skerry.platform.base.access import Action
from skerry.platform.catalog.types import CATALOG_ENTRIES, GLOBAL_NAMESPACE
from skerry.platform.identity.gateway.guard import Underway
from skerry.platform.releases.types import RELEASES
from skerry.portal.apps.parts import parts_of
from skerry.portal.streams.events import Events, event, streamed
from skerry.portal.web.language import N_
from skerry.portal.web.pages import Page, get
from skerry.portal.web.viewer import Viewer
from skerry.portal.words.pods import pod_said
from skerry.portal.words.releases import address_of
from skerry.portal.words.said import Said

_LOOK_AGAIN = 10.0
_STEPS = (N_("Asked for"), N_("Chart fetched and checked"), N_("Being started"), N_("Running"))
_STARTING = ("Installing", "Upgrading", "RollingBack")
_DONE = ("Deployed", "Stopped", "Suspended")


@record
class Step:
    """One of `_STEPS`. `state`: done, now, wrong, later."""

    label: str
    state: str


@record
class Progress:
    """`message`: the platform's own words about what is the matter, or being waited for."""

    steps: Sequence[Step]
    message: str
    over: bool
    failed: bool
    url: str


def progress_of(release: Obj) -> Progress:
    """Pure: from the Release alone."""
    status = release.get("status") or {}
    phase, ready = status.get("phase", "Pending"), condition_of(release, "Ready")
    refused = ready is not None and ready["status"] == "False" and ready.get("reason") not in _UNDER_WAY
    failed = phase == "Failed" or (phase == "Pending" and refused)
    at = len(_STEPS) if phase in _DONE else 2 if phase in _STARTING or (failed and status.get("revision")) else 1
    steps = [Step(label, _state(place, at, failed)) for place, label in enumerate(_STEPS)]
    said = str((ready or {}).get("message", ""))
    message = said if failed else "" if phase in _DONE else status.get("step") or said
    return Progress(steps, message, failed or phase in _DONE, failed, address_of(release))


_UNDER_WAY = (
    "ChartPending",
    "SourcePending",
    "Progressing",
    "Reconciling",
    "Installing",
    "Pending",
    "DependencyPending",
)


def _state(place: int, at: int, failed: bool) -> str:
    if place < at:
        return "done"
    return "later" if place > at else "wrong" if failed else "now"


async def show(viewer: Viewer) -> Response:
    """The page, as it is now."""
    values = await _now(viewer)
    if values is None:
        raise NotFound(viewer._("This app is gone: it was removed, or its launch was taken back."))
    return await viewer.render("progress.html", values)


async def stream(viewer: Viewer) -> Response:
    """What changes, until it runs or failed."""
    wanted = {"verb": "get", "group": RELEASES.group, "version": RELEASES.version, "resource": RELEASES.plural}
    attributes = {"resourceAttributes": {**wanted, "namespace": viewer.path["namespace"], "name": viewer.path["name"]}}
    return streamed(viewer.stream(), _told(viewer), viewer.site.guard.ended(Underway(viewer.person, attributes)))


async def _told(viewer: Viewer) -> Events:
    before = ""
    with viewer.site.changes.of(viewer.path["namespace"]) as woken:
        while True:
            values = await _now(viewer)
            template = "progress_part.html" if values is not None else "progress_gone.html"
            text = bytes(viewer.part(template, values).body).decode()
            if text != before:
                yield event("show", text)
                before = text
            if values is None or values["progress"].over:
                return
            await woken.wait(_LOOK_AGAIN)


async def _now(viewer: Viewer) -> dict[str, Any] | None:
    """None when there is no such app."""
    namespace, name = viewer.path["namespace"], viewer.path["name"]
    try:
        release = await viewer.client.get(RELEASES, name, namespace)
    except NotFound:
        return None
    if is_deleting(release):
        return None
    chart = release["spec"].get("chart") or {}
    return {
        "release": release,
        "name": name,
        "app": f"/portal/apps/{namespace}/{name}",
        "progress": progress_of(release),
        "pods": await _pods(viewer, release, namespace, name),
        "chart": chart,
        "again": _again(viewer, chart, namespace, name),
        "command_text": f"skerry releases show {name} --namespace {namespace}",
    }


async def _pods(viewer: Viewer, release: Obj, namespace: str, name: str) -> list[tuple[str, Said]]:
    if not await viewer.may(Action("list", PODS, namespace=namespace)):
        return []
    cached = viewer.site.informers.of(PODS).list(namespace)
    found = parts_of(name, {PODS: cached}, release["spec"].get("releaseName") or name).pods
    return [(one["metadata"]["name"], pod_said(one)) for one in found]


def _again(viewer: Viewer, chart: Obj, namespace: str, name: str) -> str:
    """Where the form is, filled in with the same values."""
    entry = f"{chart.get('catalog', '')}.{chart.get('name', '')}"
    cached = viewer.site.informers.of(CATALOG_ENTRIES)
    place = next((one for one in (namespace, GLOBAL_NAMESPACE) if cached.get(entry, one) is not None), "")
    like = {"version": chart.get("version", ""), "like": name, "of": namespace, "namespace": namespace}
    return f"/portal/launch/{place}/{quote(entry)}?{urlencode(like)}" if place else ""


PAGE = Page(
    handled=(
        get("/portal/apps/{namespace}/{name}/progress", show),
        get("/portal/apps/{namespace}/{name}/progress/stream", stream),
    ),
    caches=(RELEASES, PODS),
)
