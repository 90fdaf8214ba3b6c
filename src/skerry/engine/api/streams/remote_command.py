"""exec and attach: one `StreamSession` of the node, spoken over a channel sub-protocol to one client.

Three tasks move bytes: client to inbox, inbox to standard input, output to client. Whoever ends first decides: output
ended means the outcome is sent and the WebSocket closed; the client gone means the session is closed. In every case
the session is closed before `serve` returns. Source: the kubelet's `remotecommand` server.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import orjson

from skerry.engine.api.pod_access import StreamOptions, StreamSession
from skerry.engine.api.streams import channels, outcome
from skerry.engine.api.streams.channels import ChannelError, ChannelProtocol, Message
from skerry.engine.api.streams.inbox import Inbox
from skerry.engine.api.streams.tasks import cancelled
from skerry.engine.api.streams.websocket import PROTOCOL_ERROR, ClientGone, WebSocket
from skerry.kube.errors import InternalError, StatusError

Start = Callable[[], Awaitable[StreamSession]]


class RemoteCommand:
    """One command for one client."""

    def __init__(self, socket: WebSocket, protocol: ChannelProtocol, options: StreamOptions) -> None:
        self._socket = socket
        self._protocol = protocol
        self._options = options
        self._stdin = Inbox()

    async def serve(self, start: Start, *, attach: bool) -> None:
        """Run to the end. `start` begins the session; for `attach` the container's exit code is not the outcome."""
        with contextlib.suppress(ClientGone):
            await self._finish(await self._run(start, attach))

    async def _run(self, start: Start, attach: bool) -> bytes:
        """The last words. Raises ClientGone."""
        try:
            await self._announce()
            session = await start()
            try:
                code = await self._converse(session, attach)
            finally:
                await session.close()
            return outcome.exited(self._protocol, code)
        except StatusError as error:
            return outcome.failed(self._protocol, error)
        except ChannelError as error:
            await self._socket.close(PROTOCOL_ERROR, str(error))
            raise ClientGone from error

    async def _announce(self) -> None:
        """An empty message on the first output tells clients that the streams are there."""
        if self._options.stdout:
            await self._send(channels.STDOUT, b"")
        else:
            await self._send(channels.STDERR if self._options.stderr else channels.ERROR, b"")

    async def _converse(self, session: StreamSession, attach: bool) -> int:
        """Move bytes until the output ends; the exit code. Raises ClientGone, ChannelError, StatusError."""
        incoming = asyncio.create_task(self._take_messages(session))
        feeding = asyncio.create_task(self._feed(session))
        outgoing = asyncio.create_task(self._give_output(session))
        async with cancelled(incoming, feeding, outgoing):
            await asyncio.wait({incoming, outgoing}, return_when=asyncio.FIRST_COMPLETED)
            if not outgoing.done():
                await incoming  # raises what ended it
                raise ClientGone
            await outgoing
            return 0 if attach else await session.wait()

    async def _take_messages(self, session: StreamSession) -> None:
        """Read the client until it is gone. Raises ChannelError."""
        while (raw := await self._socket.receive()) is not None:
            message = self._protocol.decode(raw)
            if message.channel == channels.STDIN and self._options.stdin:
                await self._take_stdin(message)
            elif message.channel == channels.RESIZE and self._options.tty and message.data:
                await session.resize(*_size_of(message.data))

    async def _take_stdin(self, message: Message) -> None:
        if message.closed:
            self._stdin.end()
        else:
            await self._stdin.put(message.data)

    async def _feed(self, session: StreamSession) -> None:
        """Inbox to process. A process that no longer reads is its own business: what comes for it is dropped."""
        try:
            while data := await self._stdin.get():
                await session.write_stdin(data)
            await session.close_stdin()
        except (OSError, StatusError):
            self._stdin.discard()

    async def _give_output(self, session: StreamSession) -> None:
        try:
            async for stream, data in session.output():
                await self._send(stream, data)
        except OSError as error:
            raise InternalError(f"the streams of the container broke: {error}") from error

    async def _finish(self, last_words: bytes) -> None:
        if last_words:
            await self._send(channels.ERROR, last_words)
        await self._socket.close()

    async def _send(self, channel: int, data: bytes) -> None:
        await self._socket.send(self._protocol.encode(channel, data))


def _size_of(data: bytes) -> tuple[int, int]:
    """(width, height) in characters of a resize message. Raises ChannelError."""
    try:
        size = orjson.loads(data)
        width, height = int(size["Width"]), int(size["Height"])
    except (ValueError, TypeError, KeyError) as error:
        raise ChannelError("a resize message is an object with Width and Height") from error
    if not (0 <= width <= 0xFFFF and 0 <= height <= 0xFFFF):
        raise ChannelError("a terminal has at most 65535 rows and columns")
    return width, height
