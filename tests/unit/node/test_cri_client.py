"""The CRI client against a runtime that is not there, and against a small gRPC server that goes away and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError
from grpclib.server import Server, Stream

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriClient, CriError, wait_until_answering


class FakeRuntime:
    """Answers Version, refuses PodSandboxStatus."""

    def __mapping__(self) -> Mapping[str, Handler]:
        prefix = "/runtime.v1.RuntimeService/"
        return {
            prefix + "Version": Handler(self.version, Cardinality.UNARY_UNARY, pb.VersionRequest, pb.VersionResponse),
            prefix + "PodSandboxStatus": Handler(
                self.sandbox, Cardinality.UNARY_UNARY, pb.PodSandboxStatusRequest, pb.PodSandboxStatusResponse
            ),
        }

    async def version(self, stream: Stream[Any, Any]) -> None:
        await stream.recv_message()
        await stream.send_message(pb.VersionResponse(runtime_name="fake", runtime_version="1"))

    async def sandbox(self, stream: Stream[Any, Any]) -> None:
        await stream.recv_message()
        raise GRPCError(Status.NOT_FOUND, "no such sandbox")


async def _serve(path: Path) -> Server:
    server = Server([FakeRuntime()])
    await server.start(path=str(path))
    return server


async def _stop(server: Server, path: Path) -> None:
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.01)
    path.unlink(missing_ok=True)


async def test_absent_runtime_is_unavailable(tmp_path: Path) -> None:
    cri = CriClient(tmp_path / "none.sock")
    with pytest.raises(CriError) as caught:
        await cri.version()
    assert caught.value.unavailable
    with pytest.raises(CriError):
        await wait_until_answering(cri, 0.05)
    await cri.close()


async def test_errors_carry_code_and_message(tmp_path: Path) -> None:
    path = tmp_path / "cri.sock"
    server = await _serve(path)
    cri = CriClient(path)
    with pytest.raises(CriError, match="no such sandbox") as caught:
        await cri.pod_sandbox_status("x")
    assert caught.value.not_found
    assert not caught.value.unavailable
    await cri.close()
    await _stop(server, path)


async def test_reconnects_after_restart(tmp_path: Path) -> None:
    path = tmp_path / "cri.sock"
    server = await _serve(path)
    cri = CriClient(path)
    assert (await cri.version()).runtime_name == "fake"
    await _stop(server, path)
    with pytest.raises(CriError) as caught:
        await cri.version()
    assert caught.value.unavailable
    server = await _serve(path)
    assert (await wait_until_answering(cri, 2)).runtime_name == "fake"
    await cri.close()
    await cri.close()
    await _stop(server, path)
