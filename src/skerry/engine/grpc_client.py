"""One gRPC server on a unix socket: a channel and unary calls, for typed clients (`node.cri`, `node.containerd`).

The transport is grpclib (docs/decisions/0009-grpclib-for-cri.md). The connection is made at the first call and anew at
the next one after the server went away; a call under way then fails with code UNAVAILABLE and is not repeated here,
because only the caller knows whether that is safe.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, TypeVar

from google.protobuf.message import Message
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError

Reply = TypeVar("Reply", bound=Message)

CONNECTION_ERRORS = (OSError, StreamTerminatedError, ProtocolError)
"""What grpclib raises when the server does not answer, or not in its protocol."""


class GrpcClient(ABC):
    """Use it from one event loop; `close` when done."""

    metadata: ClassVar[Mapping[str, str]] = {}
    """Sent with every call."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._channel: Channel | None = None

    @abstractmethod
    def failure(self, code: str, message: str) -> Exception:
        """The client's own exception. `code`: the gRPC status by name, as "NOT_FOUND" or "UNAVAILABLE"."""

    def connect(self) -> Channel:
        """The channel, which connects when it is used."""
        if self._channel is None:
            self._channel = Channel(path=str(self._socket))
        return self._channel

    async def call(self, method: str, request: Message, reply: type[Reply], timeout: float | None) -> Reply:
        """One unary call; `timeout` in seconds, None for no deadline. Raises what `failure` makes."""
        call: UnaryUnaryMethod[Message, Reply] = UnaryUnaryMethod(self.connect(), method, type(request), reply)
        try:
            return await call(request, timeout=timeout, metadata=self.metadata)
        except GRPCError as error:
            raise self.failure(error.status.name, error.message or error.status.name) from error
        except TimeoutError as error:
            raise self.failure("DEADLINE_EXCEEDED", f"{method} took longer than {timeout} s") from error
        except CONNECTION_ERRORS as error:
            raise self.failure("UNAVAILABLE", f"what serves {self._socket} does not answer: {error}") from error

    async def close(self) -> None:
        """Drop the connection; harmless twice."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
            await asyncio.sleep(0)  # the transport closes in the loop's next turn
