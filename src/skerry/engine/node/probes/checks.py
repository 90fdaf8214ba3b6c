"""One check of one container: exec, httpGet, tcpSocket or gRPC health.

Source of the behaviour: Kubernetes' `pkg/probe`. Nothing is raised but cancellation: whatever goes wrong is a
failed check.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import NamedTuple

from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError

from skerry.engine.node.cri.client import CriClient, CriError
from skerry.engine.node.dialing import NotConnected, dial
from skerry.engine.node.hooks import HookTarget, http_target, port_number
from skerry.engine.node.http_get import http_get
from skerry.engine.node.probes.health_pb2 import HealthCheckRequest, HealthCheckResponse
from skerry.engine.node.probes.machine import ProbeSpec
from skerry.kube.objects import Obj

_SHOWN = 256


class Outcome(NamedTuple):
    """Whether it went well, and what to tell the user: why not, or of what to beware although it did."""

    success: bool
    output: str = ""


async def check(cri: CriClient, spec: ProbeSpec, target: HookTarget) -> Outcome:
    """Ask once, within the probe's timeout."""
    try:
        async with asyncio.timeout(spec.timeout):
            return await _ask(cri, spec, target)
    except TimeoutError:
        return Outcome(False, _timed_out(spec))
    except (OSError, ValueError) as error:
        return Outcome(False, str(error))


def _timed_out(spec: ProbeSpec) -> str:
    if "exec" in spec.handler:
        return f"command timed out after {spec.timeout:g}s"
    return f"context deadline exceeded (no answer within {spec.timeout:g}s)"


async def _ask(cri: CriClient, spec: ProbeSpec, target: HookTarget) -> Outcome:
    handler = spec.handler
    if handler.get("exec") is not None:
        return await _exec(cri, handler["exec"].get("command") or [], spec.timeout, target)
    if handler.get("httpGet") is not None:
        return await _http(handler["httpGet"], target)
    if handler.get("tcpSocket") is not None:
        return await _tcp(handler["tcpSocket"], target)
    if handler.get("grpc") is not None:
        return await _grpc(handler["grpc"], target)
    return Outcome(False, "probe has no supported handler")


async def _exec(cri: CriClient, command: list[str], timeout: float, target: HookTarget) -> Outcome:
    try:
        result = await cri.exec_sync(target.container_id, command, max(1, math.ceil(timeout)))
    except CriError as error:
        return Outcome(False, error.message)
    output = (result.stdout + result.stderr)[:_SHOWN].decode(errors="replace")
    return Outcome(True) if result.exit_code == 0 else Outcome(False, output)


async def _http(action: Obj, target: HookTarget) -> Outcome:
    asked = http_target(action, target.container, target.ip)
    try:
        answer = await http_get(asked)
    except NotConnected as error:
        return Outcome(False, f'Get "{asked.url}": {error}')
    if 200 <= answer.status < 300:
        return Outcome(True)
    if 300 <= answer.status < 400:
        return Outcome(True, f"Probe terminated redirects, Response body: {answer.body.decode(errors='replace')}")
    return Outcome(False, f"HTTP probe failed with statuscode: {answer.status}")


async def _tcp(action: Obj, target: HookTarget) -> Outcome:
    _, writer = await dial(str(action.get("host") or target.ip), port_number(action["port"], target.container))
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return Outcome(True)


async def _grpc(action: Obj, target: HookTarget) -> Outcome:
    service = str(action.get("service") or "")
    channel = Channel(target.ip, int(action["port"]))
    try:
        call: UnaryUnaryMethod[HealthCheckRequest, HealthCheckResponse] = UnaryUnaryMethod(
            channel, "/grpc.health.v1.Health/Check", HealthCheckRequest, HealthCheckResponse
        )
        answer = await call(HealthCheckRequest(service=service))
    except GRPCError as error:
        return Outcome(False, f"error: health rpc failed: {error.status.name}: {error.message}")
    except (ProtocolError, StreamTerminatedError) as error:
        return Outcome(False, f"error: health rpc failed: {error}")
    finally:
        channel.close()
    if answer.status == HealthCheckResponse.SERVING:
        return Outcome(True)
    name = HealthCheckResponse.ServingStatus.Name(answer.status)
    return Outcome(False, f'service unhealthy (responded with "{name}")')
