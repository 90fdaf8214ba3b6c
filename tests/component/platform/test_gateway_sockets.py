"""WebSockets through the gateway: messages both ways, closes, and the end of what may not go on."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from skerry.kube.http_forwarding import Forwarder
from skerry.kube.kubeconfig import Connection
from skerry.platform.identity.gateway.asking import PREFIX, asked_of, protocols_for, target_of
from skerry.platform.identity.gateway.guard import Guard, Underway
from skerry.platform.identity.gateway.sockets import Socket
from skerry.platform.identity.sessions.judging import Person
from skerry.platform.program.sockets import SocketProtocol
from tests.support.waiting import LIMIT, until

ANNA = Person("anna@uni.example", ("team",), "commandline-1", "CommandLine")
SECRET = "base64url.bearer.authorization.k8s.io." + base64.urlsafe_b64encode(b"sky_x").decode().rstrip("=")
EXEC = "/api/v1/namespaces/lab/pods/box/exec"


@dataclass
class Backend:
    """What stands for the API: says what it hears, and closes when it is told to."""

    seen: list[dict[str, str]] = field(default_factory=list)
    closes: list[int] = field(default_factory=list)

    def routes(self) -> list[Route | WebSocketRoute]:
        return [WebSocketRoute(EXEC, self.talk), Route(EXEC, self.refuse)]

    async def talk(self, socket: WebSocket) -> None:
        self.seen.append({**socket.headers})
        if "deny" in socket.query_params:
            await socket.send_denial_response(JSONResponse({"message": "not for you"}, 403))
            return
        await socket.accept(socket.scope["subprotocols"][-1])
        try:
            while (said := await socket.receive_bytes()) != b"close":
                await socket.send_bytes(said)
            await socket.close(1003)
        except WebSocketDisconnect as closed:
            self.closes.append(closed.code)

    async def refuse(self, _: Request) -> JSONResponse:
        return JSONResponse({"message": "not for you"}, 403)


class EndsWhenTold(Guard):
    """Without a cluster to ask."""

    def __init__(self) -> None:
        self.told = asyncio.Event()

    async def ended(self, underway: Underway) -> str:
        await self.told.wait()
        return f"{underway.attributes['resourceAttributes']['subresource']} is over"


@asynccontextmanager
async def _serving(app: Starlette) -> AsyncIterator[int]:
    config = uvicorn.Config(app, port=0, lifespan="off", log_config=None, ws=SocketProtocol, log_level="warning")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started, "serving")
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def _gateway(backend: Backend, guard: Guard) -> AsyncIterator[str]:
    """Where it is."""
    async with _serving(Starlette(routes=backend.routes())) as port:
        forwarder = Forwarder(Connection(f"http://127.0.0.1:{port}"), lambda: "platform")

        async def pass_on(scope: Scope, receive: Receive, send: Send) -> None:
            target = target_of(scope["raw_path"], scope["query_string"])
            asked = asked_of(ANNA, "GET", target, scope["headers"], "192.0.2.1")
            await Socket(asked, receive, send).run(forwarder, guard, protocols_for(scope["subprotocols"]))

        try:
            async with _serving(Starlette(routes=[Mount(PREFIX, app=pass_on)])) as outer:
                yield f"http://127.0.0.1:{outer}{PREFIX}{EXEC}"
        finally:
            await forwarder.close()


async def test_messages_and_closes_pass_both_ways() -> None:
    backend, guard = Backend(), EndsWhenTold()
    protocols = [SECRET, "SPDY/3.1+portforward.k8s.io"]
    async with _gateway(backend, guard) as url, aiohttp.ClientSession() as session, asyncio.timeout(LIMIT):
        async with session.ws_connect(f"{url}?command=id", protocols=protocols) as socket:
            assert socket.protocol == "SPDY/3.1+portforward.k8s.io"
            for said in (b"\x00hello", b"\x01" + b"x" * 3_000_000):
                await socket.send_bytes(said)
                assert await socket.receive_bytes() == said
            await socket.send_bytes(b"close")
            assert ((await socket.receive()).data, socket.close_code) == (1003, 1003)
        async with session.ws_connect(url, protocols=protocols) as socket:
            await socket.close(code=1001)
        await until(lambda: backend.closes, "the client's close, told to the API")
        seen = backend.seen[0]
        assert seen["authorization"] == "Bearer platform"
        assert (seen["impersonate-user"], seen["impersonate-group"]) == ("anna@uni.example", "team")
        assert seen["x-forwarded-for"] == "192.0.2.1"
        assert SECRET not in str(seen)


async def test_a_socket_ends_with_the_right_to_it_and_a_refusal_has_its_text() -> None:
    backend, guard = Backend(), EndsWhenTold()
    async with _gateway(backend, guard) as url, aiohttp.ClientSession() as session, asyncio.timeout(LIMIT):
        async with session.ws_connect(url, protocols=["SPDY/3.1+portforward.k8s.io"]) as socket:
            await socket.send_bytes(b"hello")
            assert await socket.receive_bytes() == b"hello"
            guard.told.set()
            closed = await socket.receive()
            assert (closed.data, closed.extra) == (1008, "exec is over")
        await until(lambda: backend.closes, "the end at the API")
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await session.ws_connect(f"{url}?deny=1", protocols=["SPDY/3.1+portforward.k8s.io"])
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        async with session.get(f"{url}?deny=1", headers={**upgrade, **key}) as refused:
            assert (refused.status, await refused.json()) == (403, {"message": "not for you"})
