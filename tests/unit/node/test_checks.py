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
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", (True, "")),
        (b"HTTP/1.1 500 No\r\n\r\n", (False, "HTTP probe failed with statuscode: 500")),
        (b"garbage\r\n\r\n", (False, "malformed HTTP response")),
        (b"", (False, "server closed the connection without an answer")),
    ],
)
async def test_http(answer: bytes, expected: tuple[bool, str]) -> None:
    async with answering(answer) as port:
        assert await ask({"httpGet": {"port": port, "path": "/healthz"}}) == expected


async def test_nobody_listens() -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else gets the port either
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert (await ask({"tcpSocket": {"port": port}}))[0] is False
        assert (await ask({"httpGet": {"port": port}}))[0] is False
        assert (await ask({"grpc": {"port": port}}))[0] is False


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
    assert (await ask({"grpc": {"port": port, "service": "sick"}}))[0] is False
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
    async with answering(b"HTTP/1.1 503 No\r\n\r\n") as port:
        with pytest.raises(HookError, match="answered 503"):
            await run_hook(cri, target(), {"httpGet": {"port": port}})  # type: ignore[arg-type]


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
