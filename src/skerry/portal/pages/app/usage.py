"""What an app uses, drawn while somebody looks. No history: the platform's usage reports have that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from starlette.responses import Response

from skerry.kube.errors import NotFound, ServiceUnavailable
from skerry.portal.pages.app.opened import App, access_ended, opened, page, parts
from skerry.portal.streams.events import event, streamed
from skerry.portal.streams.metrics import POD_METRICS, SECONDS, limits_of, point, shown
from skerry.portal.web.language import N_
from skerry.portal.web.viewer import Viewer

_NOBODY_MEASURES = N_("This cluster measures nothing: it has no metrics server.")


async def show(viewer: Viewer) -> Response:
    """The page; points come by the stream."""
    app = await opened(viewer)
    return await page(viewer, app, "usage", {"limits": shown(limits_of((await parts(viewer, app)).pods))})


async def stream(viewer: Viewer) -> Response:
    """Events `point`: {"time": seconds, "total": {"cpu": cores, "memory": bytes}, "limits": ..., "pods": ...}."""
    app = await opened(viewer)
    target = POD_METRICS.path(app.target)
    return streamed(viewer.stream(), _points(viewer, app), access_ended(viewer, target))


async def _points(viewer: Viewer, app: App) -> AsyncGenerator[bytes, None]:
    while True:
        pods = (await parts(viewer, app)).pods
        try:
            measured = (await viewer.client.list(POD_METRICS, app.target)).items
        except (NotFound, ServiceUnavailable):
            yield event("nothing", {"why": viewer._(_NOBODY_MEASURES)})
            return
        now = point(measured, pods, viewer.clock.now().timestamp())
        by_pod = {name: shown(used) for name, used in now.pods.items()}
        limits = shown(limits_of(pods))
        yield event("point", {"time": now.time, "total": shown(now.total), "limits": limits, "pods": by_pod})
        await asyncio.sleep(SECONDS)
