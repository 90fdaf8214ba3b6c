"""WebSockets to an extension API server, and any other protocol a client and a server agree on."""

from __future__ import annotations

import asyncio

import aiohttp

from tests.component.aggregation.conftest import Wardle
from tests.support.extension_server import ROOT, Running
from tests.unit.api.raw_http import connect, send, tls

TALK = f"{ROOT}/namespaces/default/flunders/one/talk"


async def test_a_web_socket_both_ways(wardle: Wardle, flunders: Running) -> None:
    api = wardle.world.api
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{api.url}{TALK}", protocols=["talk.example.com"], ssl=tls(api)) as socket,
        asyncio.timeout(60),
    ):
        assert socket.protocol == "talk.example.com"
        await socket.send_str("hello")
        assert await socket.receive_str() == "kubernetes-admin: hello"
        await socket.send_str("x" * 300_000)
        assert len(await socket.receive_str()) == 300_018
    (seen,) = [one for one in flunders.seen if one["path"] == TALK]
    assert ("host", api.url.removeprefix("https://")) in seen["headers"]


async def test_refusals_are_plain_answers(wardle: Wardle, flunders: Running) -> None:
    api = wardle.world.api
    asking = {"connection": "Upgrade", "upgrade": "websocket", "sec_websocket_version": "13"}
    assert (await send(api, "GET", TALK, certificate=False, **asking)).code == 403
    answer = await send(api, "GET", TALK, **asking)  # without a key
    assert answer.code == 400
    assert (await send(api, "GET", f"{ROOT}/flunders", **asking)).json["kind"] == "FlunderList"


async def test_a_client_that_vanishes_takes_the_connection_along(wardle: Wardle, flunders: Running) -> None:
    api = wardle.world.api
    reader, writer = await connect(api)
    head = f"GET {TALK} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    key = "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    writer.write((head + key).encode())
    async with asyncio.timeout(60):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    await wardle.world.until(lambda: len(api.server._state.tasks) == 1, 60)
    writer.transport.abort()
    await wardle.world.until(lambda: not api.server._state.tasks, 60)
