"""A person's shell in a container: between a browser's WebSocket and a command with a terminal.

The browser sends keys as binary messages and the size of its terminal as text, {"columns": 80, "rows": 24}; it is sent
output as binary messages and, at the end, {"ended": "why"} as text. Both sides wait for each other: whoever reads
slowly slows the program down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

import orjson

from skerry.kube.errors import StatusError
from skerry.kube.tasks import stop
from skerry.portal.streams.execution import Command, Running, begun
from skerry.portal.streams.reach import Container, Reach

SHELL = ("sh", "-c", "TERM=xterm-256color; export TERM; command -v bash >/dev/null 2>&1 && exec bash; exec sh")
_NO_SHELL = (126, 127)
_MOST = 1000
"""Columns or rows."""
ENDED, NO_SHELL = "The shell ended.", "This container has no shell."


class Browser(Protocol):
    """What is used of `starlette.websockets.WebSocket`."""

    async def receive(self) -> Any:
        """An ASGI message."""
        ...

    async def send_bytes(self, data: bytes) -> None:
        """Output."""
        ...

    async def send_text(self, data: str) -> None:
        """The end."""
        ...


def shell_in(at: Container) -> Command:
    """What is run."""
    return Command(at, SHELL, stdin=True, tty=True)


def size_of(text: str) -> tuple[int, int] | None:
    """(columns, rows) that a browser tells; None when it says something else."""
    try:
        told = orjson.loads(text)
        columns, rows = int(told["columns"]), int(told["rows"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
    return (columns, rows) if 0 < columns <= _MOST and 0 < rows <= _MOST else None


async def talk(browser: Browser, reach: Reach, at: Container, ended: Coroutine[Any, Any, str]) -> None:
    """Until one of them goes, or access ends: `ended` says why. The browser was accepted and is closed by the
    caller."""
    over = asyncio.ensure_future(ended)
    try:
        async with begun(reach, shell_in(at)) as running:
            why = await _between(browser, running, over)
    except StatusError as error:
        why = NO_SHELL if "executable file" in error.message else error.message
    except OSError as error:
        why = str(error)
    finally:
        await stop(over)
    if why is not None:
        await browser.send_text(orjson.dumps({"ended": why}).decode())


async def _between(browser: Browser, running: Running, over: asyncio.Future[str]) -> str | None:
    """Why it ended; None when the browser went."""
    keys = asyncio.ensure_future(_keys(browser, running))
    output = asyncio.ensure_future(_output(browser, running))
    try:
        await asyncio.wait((keys, output, over), return_when=asyncio.FIRST_COMPLETED)
        if output.done():
            return output.result()
        return over.result() if over.done() else keys.result()
    finally:
        await stop(keys, output)


async def _keys(browser: Browser, running: Running) -> None:
    while (message := await browser.receive())["type"] == "websocket.receive":
        if message.get("bytes"):
            await running.send(message["bytes"])
        elif size := size_of(message.get("text") or ""):
            await running.resize(*size)


async def _output(browser: Browser, running: Running) -> str:
    async for _, data in running.output():
        await browser.send_bytes(data)
    return NO_SHELL if running.code() in _NO_SHELL else ENDED
