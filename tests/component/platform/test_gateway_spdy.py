"""SPDY through the gateway, by the real kubectl: an API server whose pods are this machine behind it, no platform."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import orjson
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from skerry.engine.api.streams.spdy import Decoder, Encoder, Ping
from skerry.kube.http_forwarding import Forwarder
from skerry.kube.kubeconfig import load_kubeconfig
from skerry.kube.objects import Obj
from skerry.kube.resources import ROLE_BINDINGS
from skerry.kube.switching import switching_of
from skerry.platform.identity.gateway.asking import PREFIX, asked_of, target_of
from skerry.platform.identity.gateway.exchange import Exchange
from skerry.platform.identity.gateway.guard import Guard, Underway
from skerry.platform.identity.gateway.upgrades import Upgrade, may_switch
from skerry.platform.identity.sessions.judging import Person
from skerry.platform.program.sockets import SocketProtocol
from skerry.platform.program.switching import HttpProtocol
from tests.component.streams.local_pods import LocalPods
from tests.component.streams.server import serving
from tests.component.streams.test_kubectl_port_forward import _echo, _roundtrip, forwarding, listening
from tests.support.api import RunningApi
from tests.support.kubectl import OVER_SPDY, Kubectl
from tests.support.waiting import LIMIT, until

NAME = "änne@uni.example"
ANNE = Person(NAME, ("team",), "commandline-1", "CommandLine")


class EndsWhenTold(Guard):
    """Without a cluster to ask."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.asked: list[Obj] = []

    async def ended(self, underway: Underway) -> str:
        self.asked.append(underway.attributes.get("resourceAttributes", {}))
        await self.told.wait()
        return "it is over"


@pytest.fixture
def pods(tmp_path: Path) -> LocalPods:
    return LocalPods(tmp_path / "none")


@pytest.fixture
def guard() -> EndsWhenTold:
    return EndsWhenTold()


@pytest.fixture
async def api(pods: LocalPods) -> AsyncIterator[RunningApi]:
    """Änne edits in the namespace `default`."""
    async with serving(pods) as running:
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"}
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": NAME}
        binding = {"metadata": {"name": "edit"}, "roleRef": role, "subjects": [subject]}
        await running.client.create(ROLE_BINDINGS, binding, "default")
        yield running


@pytest.fixture
async def kubectl(api: RunningApi, guard: EndsWhenTold, tmp_path: Path) -> AsyncIterator[Kubectl]:
    """Behind the gateway."""
    forwarder = Forwarder(load_kubeconfig(api.kubeconfig), lambda: "")

    async def pass_on(scope: Scope, receive: Receive, send: Send) -> None:
        target = target_of(scope["raw_path"], scope["query_string"])
        asked = asked_of(ANNE, scope["method"], target, scope["headers"], "192.0.2.1")
        if (switching := switching_of(scope)) is not None and may_switch(asked):
            await Upgrade(asked, switching, send).run(forwarder, guard)
        else:
            await Exchange(asked, receive, send).run(forwarder, guard)

    async with _listening(Starlette(routes=[Mount(PREFIX, app=pass_on)])) as port:
        config = tmp_path / "config"
        config.write_bytes(orjson.dumps(_kubeconfig(f"http://127.0.0.1:{port}{PREFIX}")))
        yield Kubectl(config, tmp_path, OVER_SPDY)
    await forwarder.close()


@asynccontextmanager
async def _listening(app: Starlette) -> AsyncIterator[int]:
    config = uvicorn.Config(
        app, port=0, lifespan="off", log_config=None, http=HttpProtocol, ws=SocketProtocol, log_level="warning"
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started, "serving")
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


def _kubeconfig(server: str) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": server}}],
        "users": [{"name": "it", "user": {}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it", "namespace": "default"}}],
    }


async def test_streams_are_as_without_it(kubectl: Kubectl, guard: EndsWhenTold) -> None:
    data = os.urandom(8 << 20)
    assert (await kubectl.run("exec", "-i", "web", "--", "cat", stdin=data)).out == data
    done = await kubectl.run("exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.code, done.out, done.err) == (7, b"out\n", "err\ncommand terminated with exit code 7\n")
    async with listening(_echo) as port, forwarding(kubectl, port) as (local,):
        assert await _roundtrip(local, data) == data
    assert {"exec", "portforward"} <= {asked.get("subresource") for asked in guard.asked}


async def test_what_cannot_switch_is_an_ordinary_request(kubectl: Kubectl) -> None:
    """A watch, which would never be whole: its first event comes although it goes on."""
    server = load_kubeconfig(kubectl.kubeconfig).server
    headers = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}
    url = f"{server}/api/v1/namespaces/default/pods?watch=1"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        event = orjson.loads(await asyncio.wait_for(response.content.readline(), LIMIT))
    assert (response.status, event["type"], event["object"]["metadata"]["name"]) == (200, "ADDED", "web")


async def test_frames_may_come_with_the_request(kubectl: Kubectl) -> None:
    server = load_kubeconfig(kubectl.kubeconfig).server
    host, _, port = server.removeprefix("http://").removesuffix(PREFIX).partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    asked = "connection: Upgrade\r\nupgrade: SPDY/3.1\r\nx-stream-protocol-version: portforward.k8s.io\r\n"
    path = f"{PREFIX}/api/v1/namespaces/default/pods/web/portforward"
    head = f"POST {path} HTTP/1.1\r\nhost: it\r\ncontent-length: 0\r\n{asked}\r\n"
    writer.write(head.encode() + Encoder().encode(Ping(1)))
    answered = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), LIMIT)
    assert answered.startswith(b"HTTP/1.1 101 ")
    assert b"x-stream-protocol-version: portforward.k8s.io\r\n" in answered.lower()
    assert list(Decoder().feed(await asyncio.wait_for(reader.readexactly(12), LIMIT))) == [Ping(1)]
    writer.close()
    await writer.wait_closed()


async def test_refusals_are_the_apis(kubectl: Kubectl) -> None:
    absent = await kubectl.run("exec", "absent", "--", "id")
    assert absent.err == 'Error from server (NotFound): pods "absent" not found\n'
    elsewhere = await kubectl.run("exec", "-n", "kube-system", "web", "--", "id")
    assert f'User "{NAME}" cannot' in elsewhere.err


async def test_a_stream_ends_with_the_right_to_it(kubectl: Kubectl, guard: EndsWhenTold, pods: LocalPods) -> None:
    process = await kubectl.start("exec", "web", "--", "sh", "-c", "echo up; exec sleep 1000")
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), LIMIT) == b"up\n"
    guard.told.set()
    await asyncio.wait_for(process.communicate(), LIMIT)  # its SPDY takes a connection that breaks off for the end
    await until(lambda: pods.sessions[0]._process.returncode is not None)  # type: ignore[attr-defined]


async def test_a_command_ends_with_its_client(kubectl: Kubectl, pods: LocalPods) -> None:
    process = await kubectl.start("exec", "web", "--", "sh", "-c", "echo up; exec sleep 1000")
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), LIMIT) == b"up\n"
    process.kill()
    await process.communicate()
    await until(lambda: pods.sessions[0]._process.returncode is not None)  # type: ignore[attr-defined]
