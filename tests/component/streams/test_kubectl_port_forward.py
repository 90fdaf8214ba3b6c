"""port-forward by the real kubectl: SPDY, also inside a WebSocket, real sockets at both ends."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.support.kubectl import Kubectl, over_each_transport
from tests.support.waiting import LIMIT

pytestmark = over_each_transport

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handle: Handle) -> AsyncIterator[int]:
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def forwarding(kubectl: Kubectl, *ports: int) -> AsyncIterator[list[int]]:
    """kubectl at work; the local ports."""
    process = await kubectl.start("port-forward", "web", *(f":{port}" for port in ports))
    assert process.stdout is not None
    local: list[int] = []
    try:
        while len(local) < len(ports):
            line = (await asyncio.wait_for(process.stdout.readline(), LIMIT)).decode()
            assert line, await process.communicate()
            if match := re.search(r"127\.0\.0\.1:(\d+)", line):
                local.append(int(match[1]))
        yield local
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write((await reader.readline()).upper())
    writer.close()


async def _roundtrip(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        writer.write(data)
        await writer.drain()
        writer.write_eof()

    sending = asyncio.create_task(send())
    received = await asyncio.wait_for(reader.read(-1), LIMIT)
    await sending
    writer.close()
    return received


async def test_connections_one_after_the_other_and_at_once(kubectl: Kubectl) -> None:
    async with listening(_shout) as port, forwarding(kubectl, port) as (local,):
        assert await _roundtrip(local, b"first\n") == b"FIRST\n"
        words = [f"word{number}\n".encode() for number in range(20)]
        assert await asyncio.gather(*(_roundtrip(local, word) for word in words)) == [word.upper() for word in words]


async def test_two_ports(kubectl: Kubectl) -> None:
    async with listening(_shout) as one, listening(_echo) as other, forwarding(kubectl, one, other) as local:
        assert await _roundtrip(local[0], b"a\n") == b"A\n"
        assert await _roundtrip(local[1], b"a\n") == b"a\n"


async def test_megabytes_both_ways_and_half_closed(kubectl: Kubectl) -> None:
    data = os.urandom(8 << 20)
    async with listening(_echo) as port, forwarding(kubectl, port) as (local,):
        assert await _roundtrip(local, data) == data


async def test_the_pods_connection_closes_with_the_client(kubectl: Kubectl) -> None:
    closed = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()
        closed.set()

    async with listening(wait) as port, forwarding(kubectl, port) as (local,):
        _, writer = await asyncio.open_connection("127.0.0.1", local)
        writer.write(b"x")
        await writer.drain()
        writer.close()
        await asyncio.wait_for(closed.wait(), LIMIT)


async def test_the_pods_connections_close_when_kubectl_is_killed(kubectl: Kubectl) -> None:
    opened, closed = asyncio.Event(), asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.set()
        await reader.read(-1)
        writer.close()
        closed.set()

    async with listening(wait) as port:
        async with forwarding(kubectl, port) as (local,):
            _, writer = await asyncio.open_connection("127.0.0.1", local)
            await asyncio.wait_for(opened.wait(), LIMIT)
        await asyncio.wait_for(closed.wait(), LIMIT)
        writer.close()


async def test_nobody_listening_is_said(kubectl: Kubectl) -> None:
    process = await kubectl.start("port-forward", "web", ":1")
    assert process.stdout is not None
    local = re.search(rb"127\.0\.0\.1:(\d+)", await asyncio.wait_for(process.stdout.readline(), LIMIT))
    assert local is not None
    with pytest.raises((ConnectionError, AssertionError)):
        assert await _roundtrip(int(local[1]), b"x")
    if process.returncode is None:
        process.terminate()
    _, err = await asyncio.wait_for(process.communicate(), LIMIT)
    assert b"connect: connection refused" in err
