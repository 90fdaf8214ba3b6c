"""The channel sub-protocols on the wire, by a WebSocket client that says exactly what the test wants."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from skerry.engine.api.streams.server_protocol import SERVER_OPTIONS
from skerry.kube.kubeconfig import load_kubeconfig
from tests.component.streams.local_pods import LocalPods, written_until_it_waits
from tests.component.streams.server import serving
from tests.support.api import RunningApi
from tests.support.waiting import LIMIT, until

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"


@asynccontextmanager
async def opened(
    server: RunningApi, query: str, protocol: str | None, sub: str = "exec"
) -> AsyncIterator[ClientConnection]:
    url = server.url.replace("https", "wss") + f"/api/v1/namespaces/default/pods/web/{sub}?{query}"
    offers = [Subprotocol(protocol)] if protocol else None
    async with connect(url, ssl=_tls(server), subprotocols=offers, compression=None, close_timeout=0.2) as socket:
        yield socket


def _tls(server: RunningApi) -> ssl.SSLContext:
    context = load_kubeconfig(server.kubeconfig).ssl_context()
    assert context is not None
    return context


async def _all(socket: ClientConnection) -> list[Any]:
    messages = []
    try:
        async with asyncio.timeout(LIMIT):
            while True:
                messages.append(await socket.recv())
    except ConnectionClosed:
        return messages


def _query(*command: str, options: str = "stdout=1&stderr=1") -> str:
    return f"{options}&{urlencode([('command', word) for word in command])}"


async def test_v5_messages(server: RunningApi) -> None:
    async with opened(server, _query("sh", "-c", "echo hi; exit 9"), V5) as socket:
        messages = await _all(socket)
    assert messages[:2] == [b"\x01", b"\x01hi\n"]
    assert messages[-1][0] == 3
    status = json.loads(messages[-1][1:])
    assert (status["status"], status["reason"]) == ("Failure", "NonZeroExitCode")
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "9"}]


async def test_commands_are_not_logged(server: RunningApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with opened(server, _query("echo", "hunter2"), V5) as socket:
        assert b"\x01hunter2\n" in await _all(socket)
    of_server = [record for record in caplog.records if record.name.startswith(("uvicorn", "skerry"))]
    assert "hunter2" not in "".join(record.getMessage() for record in of_server)  # the client logs its own handshake


async def test_v5_closes_stdin_on_its_own(server: RunningApi) -> None:
    async with opened(server, _query("cat", options="stdin=1&stdout=1"), V5) as socket:
        await socket.send(b"\x00words")
        await socket.send(b"\xff\x00")
        messages = await _all(socket)
    assert b"\x01words" in messages
    assert json.loads(messages[-1][1:])["status"] == "Success"


async def test_text_messages_are_stdin_too(server: RunningApi) -> None:
    async with opened(server, _query("head", "-c5", options="stdin=1&stdout=1"), V4) as socket:
        await socket.send("\x00words")
        assert b"\x01words" in await _all(socket)


async def test_base64_for_clients_of_text_only(server: RunningApi) -> None:
    async with opened(server, _query("head", "-c5", options="stdin=1&stdout=1"), "base64.channel.k8s.io") as socket:
        await socket.send("0" + base64.b64encode(b"words").decode())
        assert "1" + base64.b64encode(b"words").decode() in await _all(socket)


@pytest.mark.parametrize("protocol", ["channel.k8s.io", None])
async def test_the_first_version_says_failures_as_text(server: RunningApi, protocol: str | None) -> None:
    async with opened(server, _query("false"), protocol) as socket:
        assert (await _all(socket))[-1] == b"\x03command terminated with non-zero exit code: 1"


async def test_unknown_sub_protocols_are_refused_by_name(server: RunningApi) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with opened(server, _query("true"), "v9.channel.k8s.io"):
            pass
    status = json.loads(caught.value.response.body or b"")
    assert (status["code"], status["reason"]) == (400, "BadRequest")
    assert "v9.channel.k8s.io" in status["message"]


async def test_the_request_is_checked_before_the_handshake(server: RunningApi) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with opened(server, _query("true", options="stdout=1&container=nope"), V5):
            pass
    assert json.loads(caught.value.response.body or b"")["message"] == "container nope is not valid for pod web"


async def test_refusals_are_no_errors_of_the_server(server: RunningApi, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InvalidStatus):
        async with opened(server, _query("true", options="stdout=1&container=nope"), V5):
            pass
    assert [one.getMessage() for one in caplog.records if one.levelname == "ERROR"] == []


@pytest.mark.parametrize("message", [b"", b"\xff\x00\x00", b"\x04{}", b'\x04{"Width":-1,"Height":70000}'])
async def test_broken_messages_end_the_conversation(server: RunningApi, pods: LocalPods, message: bytes) -> None:
    async with opened(server, _query("cat", options="stdin=1&stdout=1&tty=1"), V5) as socket:
        await socket.send(message)
        await _all(socket)
        assert socket.close_code == 1002


async def test_output_waits_for_a_client_that_does_not_read(server: RunningApi, pods: LocalPods) -> None:
    async with opened(server, _query("head", "-c", "100000000", "/dev/zero"), V5) as socket:
        first = await socket.recv()
        (session,) = await until(lambda: pods.sessions)
        assert await written_until_it_waits(session._process) < 100_000_000  # type: ignore[attr-defined]
        received = sum([len(message) - 1 for message in [first, *await _all(socket)]])
    assert received > 100_000_000  # and the outcome


async def test_stdin_waits_for_a_process_that_does_not_read(pods: LocalPods, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SERVER_OPTIONS, "ws_ping_interval", 0.2)
    async with serving(pods) as server:
        async with opened(server, _query("sleep", "100", options="stdin=1&stdout=1"), V5) as socket:
            sent = await _send_for_a_second(socket)
            socket.transport.abort()
        assert sent < 20_000_000
        # The server is not reading and cannot see the end: its next pings do.
        process = pods.sessions[0]._process  # type: ignore[attr-defined]
        await until(lambda: process.returncode is not None)


async def _send_for_a_second(socket: ClientConnection) -> int:
    sent = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            while True:
                await socket.send(b"\x00" + b"x" * 32_000)
                sent += 32_000
    return sent


async def test_ports_that_are_none_are_refused(server: RunningApi) -> None:
    for query, message in (("", '"ports" is required'), ("ports=80,0", "invalid port '0'")):
        with pytest.raises(InvalidStatus) as caught:
            async with opened(server, query, V4, "portforward"):
                pass
        assert message in json.loads(caught.value.response.body or b"")["message"]


async def test_spdy_nonsense_ends_the_tunnel(server: RunningApi) -> None:
    url = f"{server.url}/api/v1/namespaces/default/pods/web/portforward"
    offers = ["SPDY/3.1+portforward.k8s.io"]  # no legal token, which `websockets` therefore does not offer
    connecting = {"url": url, "protocols": offers, "ssl": _tls(server)}
    async with aiohttp.ClientSession() as session, session.ws_connect(**connecting) as socket:
        await socket.send_bytes(b"\x80\x02\x00\x01\x00\x00\x00\x00")
        while not socket.closed:
            await socket.receive(timeout=60)
        assert socket.close_code == 1002
