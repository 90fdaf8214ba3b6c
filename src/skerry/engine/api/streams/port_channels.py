"""The channel-based port-forward of the Python client and others: two channels for each port of the query.

Channel 2n is the data and 2n+1 the error stream of the n-th port; the first message on each, from us, is the port as
two bytes, little-endian. There is one connection for each port and no half-close: the WebSocket ends when all are
done. Source: the kubelet's `portforward/websocket.go`.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Sequence

from skerry.engine.api.streams.channels import ChannelError, ChannelProtocol
from skerry.engine.api.streams.inbox import Inbox
from skerry.engine.api.streams.link import ClientGone
from skerry.engine.api.streams.tasks import cancelled
from skerry.engine.api.streams.tunnel import Serve
from skerry.engine.api.streams.websocket import WebSocket


class PortChannels:
    """One client's forwarded ports."""

    def __init__(self, socket: WebSocket, protocol: ChannelProtocol, ports: Sequence[int]) -> None:
        self._socket = socket
        self._protocol = protocol
        self._ports = ports
        self._inboxes = [Inbox() for _ in ports]

    async def run(self, serve: Serve) -> None:
        """Serve all ports until they are done or the client is gone."""
        try:
            await self._announce()
            await self._converse(serve)
            await self._socket.close()
        except ChannelError as error:
            await self._socket.break_off(str(error))
        except ClientGone:
            return

    async def _announce(self) -> None:
        for index, port in enumerate(self._ports):
            for channel in (2 * index, 2 * index + 1):
                await self.send(channel, struct.pack("<H", port))

    async def _converse(self, serve: Serve) -> None:
        incoming = asyncio.create_task(self._take_messages())
        serving = asyncio.create_task(self._serve_all(serve))
        async with cancelled(incoming, serving):
            await asyncio.wait({incoming, serving}, return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                await incoming  # raises what ended it
                raise ClientGone
            await serving

    async def _serve_all(self, serve: Serve) -> None:
        async with asyncio.TaskGroup() as group:
            for index, port in enumerate(self._ports):
                group.create_task(self._serve_one(serve, index, port))

    async def _serve_one(self, serve: Serve, index: int, port: int) -> None:
        with contextlib.suppress(ClientGone):  # the task that reads finds out as well, and ends the others
            await serve(port, ChannelLane(self, self._inboxes[index], 2 * index))

    async def _take_messages(self) -> None:
        while (raw := await self._socket.receive()) is not None:
            message = self._protocol.decode(raw)
            if message.channel % 2 or message.channel >= 2 * len(self._ports):
                raise ChannelError(f"channel {message.channel} is not one to write to")
            await self._inboxes[message.channel // 2].put(message.data)

    async def send(self, channel: int, data: bytes) -> None:
        """One message. Raises ClientGone."""
        await self._socket.send(self._protocol.encode(channel, data))


class ChannelLane:
    """A data channel and its error channel as a `Lane`."""

    def __init__(self, ports: PortChannels, inbox: Inbox, channel: int) -> None:
        self._ports = ports
        self._inbox = inbox
        self._channel = channel

    async def read(self) -> bytes:
        """Some bytes of the client."""
        return await self._inbox.get()

    async def write(self, data: bytes) -> None:
        """Bytes for the client."""
        await self._ports.send(self._channel, data)

    async def fail(self, message: str) -> None:
        """Say on the error channel what went wrong."""
        await self._ports.send(self._channel + 1, message.encode())

    async def finish(self) -> None:
        """The sub-protocol cannot say that a channel ends; what the client still sends is dropped."""
        self._inbox.discard()
