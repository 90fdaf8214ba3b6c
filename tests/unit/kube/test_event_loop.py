"""Connections that are reset at once: no socket keeps a file descriptor that is closed, or becomes somebody else's."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Iterator

import aiohttp
import pytest

from skerry.kube.event_loop import run


@pytest.fixture
def resetting() -> Iterator[int]:
    """The port of a server that takes connections and resets them."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        thread = threading.Thread(target=_reset_all, args=(server,))
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_sockets_of_connections_that_were_reset_are_gone(resetting: int, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[str] = []
    gc.collect()  # what others left is not ours
    monkeypatch.setattr(sys, "unraisablehook", lambda found: left.append(repr(found.object)))
    assert run(_refusals(f"https://127.0.0.1:{resetting}/")) == 300
    gc.collect()
    assert not left


async def _refusals(url: str) -> int:
    """How many of 300 requests were refused, 100 at a time."""
    context = ssl.create_default_context()
    return sum([await _refused(url, context) for _ in range(3)])


async def _refused(url: str, context: ssl.SSLContext) -> int:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=0)) as session:
        answers = await asyncio.gather(*(session.get(url) for _ in range(100)), return_exceptions=True)
    return sum(isinstance(one, aiohttp.ClientError | OSError) for one in answers)


def _reset_all(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            with server.accept()[0] as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
