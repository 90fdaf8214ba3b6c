"""One check of one container: exec, httpGet, tcpSocket or gRPC health. The answer is (success, what to tell the user).

Source of the behaviour: Kubernetes' `pkg/probe`. Nothing is raised but cancellation: whatever goes wrong is a
failed check.
"""

from __future__ import annotations

import asyncio
import contextlib
import math

from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError

from skerry.engine.node.cri.client import CriClient, CriError
from skerry.engine.node.hooks import HookTarget, http_target, port_number
from skerry.engine.node.http_get import http_get
from skerry.engine.node.probes.health_pb2 import HealthCheckRequest, HealthCheckResponse
from skerry.engine.node.probes.machine import ProbeSpec
from skerry.kube.objects import Obj

Outcome = tuple[bool, str]

_SHOWN = 256


async def check(cri: CriClient, spec: ProbeSpec, target: HookTarget) -> Outcome:
    """Ask once, within the probe's timeout."""
    try:
        async with asyncio.timeout(spec.timeout):
            return await _ask(cri, spec, target)
    except TimeoutError:
        return False, f"command timed out after {spec.timeout:g}s" if "exec" in spec.handler else _timed_out(spec)
    except (OSError, ValueError) as error:
        return False, str(error)


def _timed_out(spec: ProbeSpec) -> str:
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
    return False, "probe has no supported handler"


async def _exec(cri: CriClient, command: list[str], timeout: float, target: HookTarget) -> Outcome:
    try:
        result = await cri.exec_sync(target.container_id, command, max(1, math.ceil(timeout)))
    except CriError as error:
        return False, error.message
    output = (result.stdout + result.stderr)[:_SHOWN].decode(errors="replace")
    return result.exit_code == 0, output


async def _http(action: Obj, target: HookTarget) -> Outcome:
    answer = await http_get(http_target(action, target.container, target.ip))
    if 200 <= answer.status < 400:
        return True, ""
    return False, f"HTTP probe failed with statuscode: {answer.status}"


async def _tcp(action: Obj, target: HookTarget) -> Outcome:
    host = str(action.get("host") or target.ip)
    _, writer = await asyncio.open_connection(host, port_number(action["port"], target.container))
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True, ""


async def _grpc(action: Obj, target: HookTarget) -> Outcome:
    service = str(action.get("service") or "")
    channel = Channel(target.ip, int(action["port"]))
    try:
        call: UnaryUnaryMethod[HealthCheckRequest, HealthCheckResponse] = UnaryUnaryMethod(
            channel, "/grpc.health.v1.Health/Check", HealthCheckRequest, HealthCheckResponse
        )
        answer = await call(HealthCheckRequest(service=service))
    except GRPCError as error:
        return False, f"error: health rpc failed: {error.status.name}: {error.message}"
    except (ProtocolError, StreamTerminatedError) as error:
        return False, f"error: health rpc failed: {error}"
    finally:
        channel.close()
    serving = answer.status == HealthCheckResponse.SERVING
    return serving, "" if serving else f"service unhealthy (responded with {answer.status})"
