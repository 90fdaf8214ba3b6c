"""The gRPC calls of one CSI driver; failures are `StorageError`s. Messages are never logged: they may hold secrets.

Neighbours: `engine.grpc_client` below, `remote_driver` above. A driver that died answers UNAVAILABLE, one that hangs
DEADLINE_EXCEEDED, and the next call connects anew.
"""

from __future__ import annotations

from google.protobuf.message import Message

from skerry.engine.grpc_client import GrpcClient, Reply
from skerry.engine.storage.contract import PATIENCE, StorageError

LONG = 120.0
"""Seconds for calls that work on data (make, format, copy); as the kubelet's `csiTimeout`."""


class CsiClient(GrpcClient):
    """One driver's socket. Use it from one event loop; `close` when done."""

    def failure(self, code: str, message: str) -> StorageError:
        """As `StorageError`, in one line."""
        if code == "DEADLINE_EXCEEDED":  # noticed by either side, which use different words
            message = "the driver did not answer in time"
        return StorageError(code, " ".join(message.split()))

    async def identity(self, method: str, request: Message, reply: type[Reply]) -> Reply:
        """A call of the Identity service. Raises StorageError."""
        return await self.call(f"/csi.v1.Identity/{method}", request, reply, PATIENCE)

    async def node(self, method: str, request: Message, reply: type[Reply], timeout: float = PATIENCE) -> Reply:
        """A call of the Node service; `timeout` in seconds. Raises StorageError."""
        return await self.call(f"/csi.v1.Node/{method}", request, reply, timeout)

    async def controller(self, method: str, request: Message, reply: type[Reply], timeout: float = PATIENCE) -> Reply:
        """A call of the Controller service; `timeout` in seconds. Raises StorageError."""
        return await self.call(f"/csi.v1.Controller/{method}", request, reply, timeout)
