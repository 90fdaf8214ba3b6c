"""A command's streams as channels of one WebSocket: the client of `remote_command` that browsers and kubectl are.

Neighbours: `channels` (what messages mean), `websocket`.
"""

from __future__ import annotations

from skerry.engine.api.pod_access import StreamOptions
from skerry.engine.api.streams import channels
from skerry.engine.api.streams.channels import ChannelProtocol, Message
from skerry.engine.api.streams.inbox import Inbox
from skerry.engine.api.streams.link import Link
from skerry.engine.api.streams.terminal_size import LatestSize, size_of


class ChannelCommand:
    """A `CommandClient`."""

    def __init__(self, socket: Link, protocol: ChannelProtocol, options: StreamOptions) -> None:
        self.sizes = LatestSize()
        self._socket = socket
        self._protocol = protocol
        self._options = options
        self._stdin = Inbox()
        self.takes_status = protocol.status
        self.read_stdin = self._stdin.get
        self.ignore_stdin = self._stdin.discard
        self.break_off = socket.break_off

    async def listen(self) -> None:
        """Take in messages until the client is gone. Raises ChannelError."""
        while (raw := await self._socket.receive()) is not None:
            message = self._protocol.decode(raw)
            if message.channel == channels.STDIN and self._options.stdin:
                await self._take_stdin(message)
            elif message.channel == channels.RESIZE and self._options.tty and message.data:
                self.sizes.put(size_of(message.data))

    async def _take_stdin(self, message: Message) -> None:
        if message.closed:
            self._stdin.end()
        else:
            await self._stdin.put(message.data)

    async def begin(self) -> None:
        """An empty message on the first output tells clients that the streams are there."""
        if self._options.stdout:
            await self.write(channels.STDOUT, b"")
        else:
            await self.write(channels.STDERR if self._options.stderr else channels.ERROR, b"")

    async def write(self, channel: int, data: bytes) -> None:
        """One message. Raises ClientGone."""
        await self._socket.send(self._protocol.encode(channel, data))

    async def give_up(self, last_words: bytes) -> None:
        """A WebSocket's close has a code that says it."""

    async def finish(self, last_words: bytes) -> None:
        """The outcome, if there is one to tell, and the close."""
        if last_words:
            await self.write(channels.ERROR, last_words)
        await self._socket.close()
