"""Server-sent events: what a page is told while it is open. They end when the person's access ends.

A comment is sent when nothing else is, so that proxies do not end what is quiet and nobody streams to browsers that are
gone. Source: WHATWG HTML, "Server-sent events".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Coroutine
from contextlib import AbstractContextManager, ExitStack, aclosing
from typing import Any

import orjson
from starlette.responses import StreamingResponse

from skerry.kube.errors import StatusError
from skerry.kube.tasks import stop
from skerry.platform.identity.login.often import TooMany
from skerry.portal.web.headers import page_headers

_QUIET_SECONDS = 15.0
_STILL_HERE = b": still here\n\n"
_HEADERS = {"x-accel-buffering": "no"}
Events = AsyncGenerator[bytes, None]


def event(name: str, data: Any) -> bytes:
    """One event; its data is JSON."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data))


def text_event(name: str, text: str) -> bytes:
    """One event; its data is text, e.g. a part of a page."""
    lines = b"".join(b"data: %s\n" % line.encode() for line in text.splitlines())
    return b"event: %s\n%s\n" % (name.encode(), lines or b"data:\n")


def streamed(
    counted: AbstractContextManager[None], events: Events, ended: Coroutine[Any, Any, str]
) -> StreamingResponse:
    """The answer. `counted`: `Viewer.stream`. `ended` says when access is over, and why: `Guard.ended`. The last event
    is `end`, with {"why": ...}; a browser must not ask again then. Raises TooMany."""
    held = ExitStack()
    try:
        held.enter_context(counted)
    except TooMany:
        ended.close()
        raise
    headers = {**page_headers(), **_HEADERS}
    return StreamingResponse(_held(held, guarded(events, ended)), media_type="text/event-stream", headers=headers)


async def _held(held: ExitStack, events: Events) -> Events:
    with held:
        async with aclosing(events):
            async for piece in events:
                yield piece


async def guarded(events: Events, ended: Awaitable[str], quiet_seconds: float = _QUIET_SECONDS) -> Events:
    """The events until they end, fail or may not go on."""
    over = asyncio.ensure_future(ended)
    try:
        async with aclosing(events), aclosing(_until(events, over, quiet_seconds)) as pieces:
            async for piece in pieces:
                yield piece
        why = over.result() if over.done() else ""
    except (StatusError, OSError) as error:
        why = error.message if isinstance(error, StatusError) else str(error)
    finally:
        await stop(over)
    yield event("end", {"why": why})


async def _until(events: Events, over: asyncio.Future[str], quiet_seconds: float) -> Events:
    while not over.done():
        coming = asyncio.ensure_future(anext(events))
        try:
            while not coming.done() and not over.done():
                await asyncio.wait((coming, over), timeout=quiet_seconds, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done() and not over.done():
                    yield _STILL_HERE
            if over.done():
                return
            yield coming.result()
        except StopAsyncIteration:
            return
        finally:
            await stop(coming)  # before the generator is closed, which must not be running then
