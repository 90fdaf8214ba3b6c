"""A program for pods: gRPC's health service, `health_server.py PORT FILE`. It is well; its service `file` is as long as
FILE is there."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from grpclib.const import Status
from grpclib.health.v1.health_grpc import HealthBase
from grpclib.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpclib.server import Server, Stream


class Health(HealthBase):
    """Looks whenever it is asked."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def Check(self, stream: Stream[HealthCheckRequest, HealthCheckResponse]) -> None:
        """How a service is."""
        request = await stream.recv_message()
        assert request is not None
        is_well = request.service != "file" or self._file.exists()
        status = HealthCheckResponse.SERVING if is_well else HealthCheckResponse.NOT_SERVING
        await stream.send_message(HealthCheckResponse(status=status))

    async def Watch(self, stream: Stream[HealthCheckRequest, HealthCheckResponse]) -> None:
        """Probes do not ask for this."""
        await stream.send_trailing_metadata(status=Status.UNIMPLEMENTED)


async def serve(port: int, file: Path) -> None:
    """Until killed."""
    server = Server([Health(file)])
    await server.start("0.0.0.0", port)
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
