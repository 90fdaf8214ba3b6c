"""A small gRPC server in a process of its own, so that it can die: `python fake_runtime.py SOCKET`.

Answers Version; refuses PodSandboxStatus with NOT_FOUND.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError
from grpclib.server import Server, Stream

from skerry.engine.node.cri import cri_pb2 as pb

_PREFIX = "/runtime.v1.RuntimeService/"


class FakeRuntime:
    """The two methods."""

    def __mapping__(self) -> Mapping[str, Handler]:
        unary = Cardinality.UNARY_UNARY
        return {
            f"{_PREFIX}Version": Handler(self.version, unary, pb.VersionRequest, pb.VersionResponse),
            f"{_PREFIX}PodSandboxStatus": Handler(
                self.sandbox, unary, pb.PodSandboxStatusRequest, pb.PodSandboxStatusResponse
            ),
        }

    async def version(self, stream: Stream[Any, Any]) -> None:
        await stream.recv_message()
        await stream.send_message(pb.VersionResponse(runtime_name="fake", runtime_version="1"))

    async def sandbox(self, stream: Stream[Any, Any]) -> None:
        await stream.recv_message()
        raise GRPCError(Status.NOT_FOUND, "no such sandbox")


async def main(path: str) -> None:
    server = Server([FakeRuntime()])
    await server.start(path=path)
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
