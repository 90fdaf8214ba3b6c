"""A typed client of containerd's own API on its unix socket, for what CRI does not offer.

Messages are those of `api_pb2`; the transport is grpclib, as in `engine.node.cri`. Every failure is a
`ContainerdCallError`, also a containerd that is not there. The connection is made at the first call and anew after
containerd went away. Everything happens in CRI's namespace, `k8s.io`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

from google.protobuf.message import Message
from grpclib.client import Channel, UnaryStreamMethod, UnaryUnaryMethod
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError

from skerry.engine.node.containerd import api_pb2 as pb
from skerry.engine.node.containerd.failure import ContainerdError

Reply = TypeVar("Reply", bound=Message)

NAMESPACE = "k8s.io"
_METADATA = {"containerd-namespace": NAMESPACE}
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


class ContainerdClient:
    """One containerd. Use it from one event loop; `close` when done."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._channel: Channel | None = None

    async def close(self) -> None:
        """Drop the connection; harmless twice."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
            await asyncio.sleep(0)  # the transport closes in the loop's next turn

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
            self._connect(), _EVENTS + "Subscribe", pb.SubscribeRequest, pb.Envelope
        )
        try:
            async with method.open(metadata=_METADATA) as stream:
                await stream.send_message(pb.SubscribeRequest(filters=filters), end=True)
                async for envelope in stream:
                    yield envelope
        except (GRPCError, OSError, StreamTerminatedError, ProtocolError) as error:
            raise ContainerdCallError("UNAVAILABLE", f"containerd's events have ended: {error}") from error

    async def _call(
        self, method: str, request: Message, reply: type[Reply], timeout: float | None = _DEADLINE
    ) -> Reply:
        call: UnaryUnaryMethod[Message, Reply] = UnaryUnaryMethod(self._connect(), method, type(request), reply)
        try:
            return await call(request, timeout=timeout, metadata=_METADATA)
        except GRPCError as error:
            raise ContainerdCallError(error.status.name, error.message or error.status.name) from error
        except TimeoutError as error:
            raise ContainerdCallError("DEADLINE_EXCEEDED", f"{method} took longer than {timeout} s") from error
        except (OSError, StreamTerminatedError, ProtocolError) as error:
            raise ContainerdCallError(
                "UNAVAILABLE", f"containerd at {self._socket} does not answer: {error}"
            ) from error

    def _connect(self) -> Channel:
        if self._channel is None:
            self._channel = Channel(path=str(self._socket))
        return self._channel
