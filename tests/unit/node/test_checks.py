"""Probe checks and hooks against small servers, and the timers that drive them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from grpclib.const import Cardinality
from grpclib.const import Handler as GrpcHandler
from grpclib.server import Server, Stream

from skerry.engine.node.cri.client import CriError, ExecResult
from skerry.engine.node.errors import HookError
from skerry.engine.node.hooks import HookTarget, port_number, run_hook
from skerry.engine.node.pods.state import ProbeState
from skerry.engine.node.probes.checks import check
from skerry.engine.node.probes.health_pb2 import HealthCheckRequest, HealthCheckResponse
from skerry.engine.node.probes.machine import ProbeSpec
from skerry.engine.node.probes.prober import Probed, Prober
from skerry.kube.clock import SystemClock
from skerry.kube.objects import Obj
from tests.support.waiting import LIMIT, until
from tests.unit.node.views import container, pod


class Cri:
    """Answers exec with what is set."""

    def __init__(self) -> None:
        self.result = ExecResult(b"", b"", 0)
        self.error: CriError | None = None
        self.calls = 0

    async def exec_sync(self, container_id: str, command: list[str], timeout: int) -> ExecResult:
        self.calls += 1
        if self.error:
            raise self.error
        return self.result


class Events:
    """Remembers what was recorded."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def event(self, involved: Obj, kind: str, reason: str, message: str, field_path: str = "") -> None:
        self.messages.append(message)


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object]]


@asynccontextmanager
async def serving(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object]],
) -> AsyncIterator[int]:
    """A server that talks once per connection; gives its port. All connections are closed at the end."""
    talks = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal talks
        talks += 1
        try:
            await talk(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            talks -= 1

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
    await until(lambda: talks == 0)


@asynccontextmanager
async def answering(text: bytes) -> AsyncIterator[int]:
    """An HTTP server of one answer; gives its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):  # a mere connection is an answer too
            await reader.readuntil(b"\r\n\r\n")
        writer.write(text)

    async with serving(answer) as port:
        yield port


def target(**more: Any) -> HookTarget:
    return HookTarget(container(**more), "id", "127.0.0.1")


async def ask(handler: Obj, cri: Cri | None = None, timeout: float = 60) -> tuple[bool, str]:
    return await check(cri or Cri(), ProbeSpec("readiness", handler, timeout=timeout), target())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nfine", (True, "")),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://0.0.0.0/x\r\n\r\nto there",
            (True, "Probe terminated redirects, Response body: to there"),
        ),
        (b"HTTP/1.1 302 Found\r\n\r\n", (True, "Probe terminated redirects, Response body: ")),
        (b"HTTP/1.1 302 Found\r\nLocation: /round\r\n\r\n", (False, "stopped after 10 redirects")),
        (b"HTTP/1.1 500 No\r\n\r\n", (False, "HTTP probe failed with statuscode: 500")),
        (b"garbage\r\n\r\n", (False, "malformed HTTP response")),
        (b"", (False, "server closed the connection without an answer")),
    ],
)
async def test_http(answer: bytes, expected: tuple[bool, str]) -> None:
    async with answering(answer) as port:
        assert await ask({"httpGet": {"port": port, "path": "/healthz"}}) == expected


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
)
async def test_servers_that_keep_the_connection(answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await reader.read()  # until the probe closes

    async with serving(talk) as port:
        assert await ask({"httpGet": {"port": port}}) == (True, "")


@pytest.mark.parametrize("absolute", [True, False])
async def test_redirects_on_the_same_host_are_followed(absolute: bool) -> None:
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readuntil(b"\r\n\r\n")).splitlines()[0]
        asked.append(line)
        where = f"http://127.0.0.1:{port}/end?a=b" if absolute else "/end?a=b"
        if b"/end" in line:
            writer.write(b"HTTP/1.1 500 No\r\n\r\n")
        else:
            writer.write(f"HTTP/1.1 302 Found\r\nlocation: {where}\r\n\r\n".encode())

    async with serving(talk) as port:
        outcome = await ask({"httpGet": {"port": port, "path": "/begin"}})
    assert outcome == (False, "HTTP probe failed with statuscode: 500")
    assert asked == [b"GET /begin HTTP/1.1", b"GET /end?a=b HTTP/1.1"]


async def test_nobody_listens() -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else gets the port either
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        refused = (False, f"dial tcp 127.0.0.1:{port}: connect: connection refused")
        assert await ask({"tcpSocket": {"port": port}}) == refused
        asked = f'Get "http://127.0.0.1:{port}/ready": {refused[1]}'
        assert await ask({"httpGet": {"port": port, "path": "/ready"}}) == (False, asked)
        assert (await ask({"grpc": {"port": port}}))[0] is False


async def test_hosts_that_nobody_knows() -> None:
    success, output = await ask({"tcpSocket": {"host": "nowhere.invalid", "port": 1}})
    assert (success, output[:29]) == (False, "dial tcp nowhere.invalid:1: [")


async def test_tcp() -> None:
    async with answering(b"") as port:
        assert await ask({"tcpSocket": {"port": port}}) == (True, "")


async def test_exec() -> None:
    cri, handler = Cri(), {"exec": {"command": ["x"]}}
    assert await ask(handler, cri) == (True, "")
    cri.result = ExecResult(b"out", b"err", 1)
    assert await ask(handler, cri) == (False, "outerr")
    cri.error = CriError("DEADLINE_EXCEEDED", "too slow")
    assert await ask(handler, cri) == (False, "too slow")


async def test_slow_answers_time_out() -> None:
    async with serving(lambda reader, writer: reader.read()) as port:
        success, output = await ask({"httpGet": {"port": port}}, timeout=0.05)
    assert not success
    assert "deadline exceeded" in output


class Health:
    """grpc.health.v1 with one sick service."""

    def __mapping__(self) -> Mapping[str, GrpcHandler]:
        unary = Cardinality.UNARY_UNARY
        return {"/grpc.health.v1.Health/Check": GrpcHandler(self.check, unary, HealthCheckRequest, HealthCheckResponse)}

    async def check(self, stream: Stream[Any, Any]) -> None:
        request = await stream.recv_message()
        sick = request.service == "sick"
        status = HealthCheckResponse.NOT_SERVING if sick else HealthCheckResponse.SERVING
        await stream.send_message(HealthCheckResponse(status=status))


async def test_grpc() -> None:
    server = Server([Health()])
    await server.start("127.0.0.1", 0)
    port = server._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    assert await ask({"grpc": {"port": port}}) == (True, "")
    sick = 'service unhealthy (responded with "NOT_SERVING")'
    assert await ask({"grpc": {"port": port, "service": "sick"}}) == (False, sick)
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.01)


def test_ports_by_name() -> None:
    named = container(ports=[{"name": "web", "containerPort": 80}])
    assert (port_number(8, named), port_number("web", named), port_number("90", named)) == (8, 80, 90)
    with pytest.raises(ValueError, match="couldn't find port"):
        port_number("other", named)


async def test_hooks() -> None:
    cri = Cri()
    await run_hook(cri, target(), {"exec": {"command": ["true"]}})  # type: ignore[arg-type]
    cri.result = ExecResult(b"", b"no", 3)
    with pytest.raises(HookError, match="exited with 3"):
        await run_hook(cri, target(), {"exec": {"command": ["false"]}})  # type: ignore[arg-type]
    with pytest.raises(HookError, match="not supported: tcpSocket"):
        await run_hook(cri, target(), {"tcpSocket": {"port": 1}})  # type: ignore[arg-type]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(HookError, match="HTTP request failed"):
            await run_hook(cri, target(), {"httpGet": {"port": taken.getsockname()[1]}})  # type: ignore[arg-type]


@pytest.mark.parametrize("scheme", ["HTTP", "HTTPS"])
async def test_any_answer_to_a_hook_will_do(scheme: str) -> None:
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(4096))
        writer.write(b"HTTP/1.1 503 No\r\n\r\n")

    async with serving(talk) as port:
        await run_hook(Cri(), target(), {"httpGet": {"port": port, "scheme": scheme}})  # type: ignore[arg-type]
    assert asked[-1].startswith(b"GET / HTTP/1.1\r\n")
    assert b"User-Agent: kube-lifecycle/1.36\r\n" in asked[-1]


def probed(changed: asyncio.Event, known: ProbeState | None = None, **probes: Obj) -> Probed:
    return Probed(pod(), target(**probes), "spec.containers{main}", SystemClock().steady(), changed.set, known)


def prober(cri: Cri, events: Events | None = None) -> Prober:
    return Prober(cri, events or Events(), SystemClock())  # type: ignore[arg-type]


PROBE: Obj = {"exec": {"command": ["x"]}, "periodSeconds": 0.01, "failureThreshold": 1}


async def test_startup_gates_readiness() -> None:
    cri, changed = Cri(), asyncio.Event()
    cri.result = ExecResult(b"", b"", 1)
    probes = prober(cri)
    probes.add(probed(changed, startupProbe={**PROBE, "failureThreshold": 1000}, readinessProbe=PROBE))
    assert probes.state("id") == ProbeState(started=False, ready=False)
    await until(lambda: cri.calls > 3)
    assert not changed.is_set()
    cri.result = ExecResult(b"", b"", 0)
    await until(lambda: probes.state("id") == ProbeState(started=True, ready=True))
    assert changed.is_set()
    await probes.close()


async def test_failed_liveness_is_told_and_removal_ends_it() -> None:
    cri, changed, events = Cri(), asyncio.Event(), Events()
    cri.result = ExecResult(b"broken", b"", 1)
    probes = prober(cri, events)
    probes.add(probed(changed, livenessProbe={**PROBE, "terminationGracePeriodSeconds": 5}))
    await asyncio.wait_for(changed.wait(), LIMIT)
    state = probes.state("id")
    assert state is not None
    assert (state.failure, state.grace) == ("Container main failed liveness probe, will be restarted", 5)
    assert events.messages[0] == "Liveness probe failed: broken"
    probes.remove("id")
    calls = cri.calls
    await asyncio.sleep(0.05)
    assert cri.calls == calls
    await probes.close()


async def test_only_readiness_matters_while_a_container_stops() -> None:
    cri, changed = Cri(), asyncio.Event()
    probes = prober(cri)
    probes.add(probed(changed, livenessProbe=PROBE, readinessProbe=PROBE))
    await until(lambda: probes.state("id") == ProbeState(started=True, ready=True))
    probes.wind_down("id")
    cri.result = ExecResult(b"", b"", 1)
    await until(lambda: probes.state("id") == ProbeState(started=True, ready=False))
    calls = cri.calls
    await until(lambda: cri.calls > calls + 3)
    assert probes.state("id") == ProbeState(started=True, ready=False), "nobody asks whether it lives"
    await probes.close()


async def test_adopted_container_keeps_its_readiness() -> None:
    probes = prober(Cri())
    slow = {**PROBE, "initialDelaySeconds": 100}
    probes.add(probed(asyncio.Event(), ProbeState(started=True, ready=True), startupProbe=slow, readinessProbe=slow))
    assert probes.state("id") == ProbeState(started=True, ready=True)
    await probes.close()


async def test_no_probes_no_state() -> None:
    probes = prober(Cri())
    probes.add(probed(asyncio.Event()))
    assert probes.state("id") is None
    await probes.close()
