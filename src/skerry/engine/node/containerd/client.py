"""A typed client of containerd's own API on its unix socket, for what CRI does not offer.

Messages are those of `api_pb2`, the transport is `engine.grpc_client`. Every failure is a `ContainerdCallError`, also a
containerd that is not there. Everything happens in CRI's namespace, `k8s.io`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import ClassVar

from google.protobuf.message import Message
from grpclib.client import UnaryStreamMethod
from grpclib.exceptions import GRPCError

from skerry.engine.grpc_client import CONNECTION_ERRORS, GrpcClient, Reply
from skerry.engine.node.containerd import api_pb2 as pb
from skerry.engine.node.containerd.failure import ContainerdError

NAMESPACE = "k8s.io"
_DEADLINE = 30.0  # seconds
_SERVICES = "/containerd.services."
_TASKS = _SERVICES + "tasks.v1.Tasks/"
_CONTAINERS = _SERVICES + "containers.v1.Containers/"
_EVENTS = _SERVICES + "events.v1.Events/"


class ContainerdCallError(ContainerdError):
    """containerd refused or could not be asked. `code`: the gRPC status by name, as "NOT_FOUND" or "UNAVAILABLE"."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ContainerdClient(GrpcClient):
    """One containerd. Use it from one event loop; `close` when done."""

    metadata: ClassVar[Mapping[str, str]] = {"containerd-namespace": NAMESPACE}

    def failure(self, code: str, message: str) -> ContainerdCallError:
        """As `ContainerdCallError`."""
        return ContainerdCallError(code, message)

    # ---- tasks

    async def exec(self, request: pb.ExecProcessRequest) -> None:
        """Add a process to a running task; `start` runs it."""
        await self._call(_TASKS + "Exec", request, pb.Empty)

    async def start(self, container_id: str, exec_id: str) -> int:
        """Run an added process; returns its process id. Raises ContainerdCallError with the runtime's own words."""
        request = pb.StartRequest(container_id=container_id, exec_id=exec_id)
        return (await self._call(_TASKS + "Start", request, pb.StartResponse)).pid

    async def wait(self, container_id: str, exec_id: str = "") -> int:
        """The exit code, when the process has ended. No deadline."""
        request = pb.WaitRequest(container_id=container_id, exec_id=exec_id)
        return (await self._call(_TASKS + "Wait", request, pb.WaitResponse, None)).exit_status

    async def kill(self, container_id: str, exec_id: str, signal: int) -> None:
        """Send a signal to one process."""
        request = pb.KillRequest(container_id=container_id, exec_id=exec_id, signal=signal)
        await self._call(_TASKS + "Kill", request, pb.Empty)

    async def close_stdin(self, container_id: str, exec_id: str) -> None:
        """End of standard input, once all that was written has been read."""
        request = pb.CloseIORequest(container_id=container_id, exec_id=exec_id, stdin=True)
        await self._call(_TASKS + "CloseIO", request, pb.Empty)

    async def resize(self, container_id: str, exec_id: str, width: int, height: int) -> None:
        """The size of the process's terminal, in characters."""
        request = pb.ResizePtyRequest(container_id=container_id, exec_id=exec_id, width=width, height=height)
        await self._call(_TASKS + "ResizePty", request, pb.Empty)

    async def delete_process(self, container_id: str, exec_id: str) -> None:
        """Forget a process that has ended."""
        request = pb.DeleteProcessRequest(container_id=container_id, exec_id=exec_id)
        await self._call(_TASKS + "DeleteProcess", request, pb.DeleteResponse)

    # ---- containers

    async def container(self, container_id: str) -> pb.Container:
        """The container's record with its OCI spec. Raises ContainerdCallError (NOT_FOUND)."""
        request = pb.GetContainerRequest(id=container_id)
        return (await self._call(_CONTAINERS + "Get", request, pb.GetContainerResponse)).container

    # ---- events

    async def events(self, *filters: str) -> AsyncIterator[pb.Envelope]:
        """Events from now on. Raises ContainerdCallError when the stream breaks, as it does when containerd ends."""
        method: UnaryStreamMethod[pb.SubscribeRequest, pb.Envelope] = UnaryStreamMethod(
            self.connect(), _EVENTS + "Subscribe", pb.SubscribeRequest, pb.Envelope
        )
        try:
            async with method.open(metadata=self.metadata) as stream:
                await stream.send_message(pb.SubscribeRequest(filters=filters), end=True)
                async for envelope in stream:
                    yield envelope
        except (GRPCError, *CONNECTION_ERRORS) as error:
            raise ContainerdCallError("UNAVAILABLE", f"containerd's events have ended: {error}") from error

    async def _call(
        self, method: str, request: Message, reply: type[Reply], timeout: float | None = _DEADLINE
    ) -> Reply:
        return await self.call(method, request, reply, timeout)
