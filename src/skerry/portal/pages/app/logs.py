"""Logs of an app's containers, as they are written; searched as a whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import Response

from skerry.portal.pages.app.opened import access_ended, chosen, container, opened, page, parts, reach
from skerry.portal.streams.events import event, streamed
from skerry.portal.streams.logs import Wanted, batches, wanted_of
from skerry.portal.streams.reach import Reach
from skerry.portal.web.viewer import Viewer


async def show(viewer: Viewer) -> Response:
    """The page; lines come by the stream."""
    app = await opened(viewer)
    found = chosen(viewer, app, (await parts(viewer, app)).pods, running=False)
    asked = {"search": viewer.query.get("search"), "previous": viewer.query.get("previous") == "yes"}
    return await page(viewer, app, "logs", {"chosen": found, **asked})


async def stream(viewer: Viewer) -> Response:
    """Events `lines`: [[time, text], ...]."""
    app = await opened(viewer)
    asked = {name: viewer.query.get(name) for name in ("follow", "previous", "search")}
    wanted = wanted_of(await container(viewer, app), asked)
    return streamed(viewer.stream(), _lines(reach(viewer), wanted), access_ended(viewer, wanted.target))


async def _lines(api: Reach, wanted: Wanted) -> AsyncGenerator[bytes, None]:
    async with api.body(wanted.target) as pieces, aclosing(batches(pieces, wanted.search)) as lines:
        async for batch in lines:
            yield event("lines", batch)
