"""How an app is: its pods and what happened, in words, as it happens; where it is opened, and who may open it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from starlette.responses import Response

from skerry.kube.client import Selection
from skerry.kube.objects import Obj, name_of
from skerry.kube.records import record
from skerry.kube.resources import EVENTS
from skerry.portal.apps.parts import events_of
from skerry.portal.pages.app.opened import App, access_ended, everything, mays, opened, page, tabs
from skerry.portal.pages.app.sharing import sharing_of
from skerry.portal.streams.events import streamed, text_event
from skerry.portal.web.viewer import Viewer
from skerry.portal.words.events import told
from skerry.portal.words.pods import pod_said
from skerry.portal.words.releases import release_how
from skerry.portal.words.said import Said

_EVENTS = 25
_LONGEST_WAIT = 10.0
"""Seconds: events are in no cache."""


@record
class PodShown:
    """A row."""

    name: str
    said: Said
    started: str
    node: str
    runs: bool


async def show(viewer: Viewer) -> Response:
    """The page."""
    app = await opened(viewer)
    values = await _now(viewer, app)
    sharing = await sharing_of(viewer, app)
    return await page(viewer, app, "overview", {**values, "sharing": sharing})


async def live(viewer: Viewer) -> Response:
    """The part of the page that changes, whenever it does."""
    app = await opened(viewer)
    target = f"/apis/skerry.dev/v1alpha1/namespaces/{app.namespace}/releases/{app.name}"
    return streamed(viewer.stream(), _shown(viewer, app), access_ended(viewer, target))


async def _shown(viewer: Viewer, app: App) -> AsyncGenerator[bytes, None]:
    last = ""
    with viewer.site.changes.of(app.namespace, app.target) as changes:
        while True:
            app = await opened(viewer)
            common = {"app": app, "how": release_how(app.release), "may": await mays(viewer, app)}
            shown = {**common, "tab": "overview", "tabs": await tabs(viewer, app), **await _now(viewer, app)}
            text = bytes(viewer.part("app/overview_now.html", shown).body).decode()
            if text != last:
                last = text
                yield text_event("show", text)
            await changes.wait(_LONGEST_WAIT)


async def _now(viewer: Viewer, app: App) -> dict[str, Any]:
    parts, events = await asyncio.gather(everything(viewer, app), _events(viewer, app))
    return {
        "pods": [_pod(one) for one in parts.pods],
        "events": told(events_of(events, parts), _EVENTS),
        "say": lambda said: said.shown(viewer._),
        "advise": lambda said: said.advised(viewer._),
    }


async def _events(viewer: Viewer, app: App) -> Sequence[Obj]:
    about = [viewer.client.list(EVENTS, app.target)]
    if app.namespace != app.target:
        about.append(
            viewer.client.list(EVENTS, app.namespace, Selection(field_selector=f"involvedObject.name={app.name}"))
        )
    return [one for listed in await asyncio.gather(*about) for one in listed.items]


def _pod(pod: Obj) -> PodShown:
    status = pod.get("status") or {}
    runs = any("running" in (one.get("state") or {}) for one in status.get("containerStatuses") or ())
    started = status.get("startTime") or pod["metadata"].get("creationTimestamp", "")
    return PodShown(name_of(pod), pod_said(pod), started, pod["spec"].get("nodeName", ""), runs)
