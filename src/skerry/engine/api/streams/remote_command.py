"""exec and attach: one `StreamSession` of the node, and one client, however it has its streams.

Who ends first decides: output ended means the outcome is told and the connection closed; the client gone means the
session is closed. In every case the session is closed before `serve` returns. `channel_command` (WebSocket) and
`spdy_command` are the clients. Source: the kubelet's `remotecommand` server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from skerry.engine.api.pod_access import StreamSession
from skerry.engine.api.streams import outcome
from skerry.engine.api.streams.channels import ChannelError
from skerry.engine.api.streams.link import ClientGone
from skerry.engine.api.streams.tasks import cancelled
from skerry.engine.api.streams.terminal_size import LatestSize
from skerry.kube.errors import InternalError, ServiceUnavailable, StatusError

_ENDED = ServiceUnavailable("the stream ended before the command was over")
Start = Callable[[], Awaitable[StreamSession]]


class CommandClient(Protocol):
    """A command's standard streams as a client has them. Writing raises ClientGone when it is."""

    sizes: LatestSize
    """Of its terminal."""

    @property
    def takes_status(self) -> bool:
        """Whether it is told the outcome as a Status, and not as text."""
        ...

    async def listen(self) -> None:
        """Take in what it says until it is gone. Raises ChannelError."""
        ...

    async def begin(self) -> None:
        """Return when all streams are there. Raises ChannelError when they do not come."""
        ...

    async def read_stdin(self) -> bytes:
        """Some bytes of standard input; b"" at the end."""
        ...

    def ignore_stdin(self) -> None:
        """Nobody reads standard input any more: what comes for it is dropped."""
        ...

    async def write(self, channel: int, data: bytes) -> None:
        """Output, on STDOUT or STDERR; waits while the client does not read."""
        ...

    async def finish(self, last_words: bytes) -> None:
        """Tell the outcome, and end in order."""
        ...

    async def give_up(self, last_words: bytes) -> None:
        """End before the command was over; harmless when the client is gone, which is the reason most often."""
        ...

    async def break_off(self, reason: str) -> None:
        """End because of what the client did; harmless when it is gone."""
        ...


class RemoteCommand:
    """One command for one client."""

    def __init__(self, client: CommandClient, *, stdin: bool) -> None:
        """`stdin`: whether the command has a standard input."""
        self._client = client
        self._stdin = stdin

    async def serve(self, start: Start, *, attach: bool) -> None:
        """Run to the end. `start` begins the session; for `attach` the container's exit code is not the outcome."""
        listening = asyncio.create_task(self._client.listen())
        running = asyncio.create_task(self._run(start, attach))
        try:
            async with cancelled(listening, running):
                await asyncio.wait({listening, running}, return_when=asyncio.FIRST_COMPLETED)
                if running.done():
                    return await running
                await listening
            await self._client.give_up(outcome.failed(_ENDED, as_status=self._client.takes_status))
        except ChannelError as error:
            await self._client.break_off(str(error))
        except ClientGone:
            return None

    async def _run(self, start: Start, attach: bool) -> None:
        """Raises ClientGone, ChannelError."""
        await self._client.begin()
        as_status = self._client.takes_status
        try:
            last_words = outcome.exited(await self._converse(start, attach), as_status=as_status)
        except StatusError as error:
            last_words = outcome.failed(error, as_status=as_status)
        await self._client.finish(last_words)

    async def _converse(self, start: Start, attach: bool) -> int:
        """Move bytes until the output ends; the exit code. Raises ClientGone, StatusError."""
        session = await start()
        try:
            if self._client.sizes.is_new:  # before anything that is typed: programs ask for the size when they begin
                await session.resize(*await self._client.sizes.next())
            feeding = asyncio.create_task(self._feed(session))
            resizing = asyncio.create_task(self._resize(session))
            outgoing = asyncio.create_task(self._give_output(session))
            async with cancelled(feeding, resizing, outgoing):
                await asyncio.wait({resizing, outgoing}, return_when=asyncio.FIRST_COMPLETED)
                await (outgoing if outgoing.done() else resizing)
                return 0 if attach else await session.wait()
        finally:
            await session.close()

    async def _feed(self, session: StreamSession) -> None:
        """Client to process. A process that no longer reads is its own business."""
        if not self._stdin:
            return
        try:
            while data := await self._client.read_stdin():
                await session.write_stdin(data)
            await session.close_stdin()
        except (OSError, StatusError):
            self._client.ignore_stdin()
        except ClientGone:  # who listens finds out as well
            return

    async def _resize(self, session: StreamSession) -> None:
        while True:
            await session.resize(*await self._client.sizes.next())

    async def _give_output(self, session: StreamSession) -> None:
        try:
            async for stream, data in session.output():
                await self._client.write(stream, data)
        except OSError as error:
            raise InternalError(f"the streams of the container broke: {error}") from error
