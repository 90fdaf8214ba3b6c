"""A command's streams as streams of one SPDY connection: the client of `remote_command` that client-go is by default.

The client opens one for each that it wants, named by its header `streamType`, and one for the outcome (`error`).
Versions: 4 tells the outcome as a Status, 5 is the same here; 3 has terminals that are resized. Source: apimachinery
`pkg/util/remotecommand/constants.go`, the kubelet's `remotecommand/httpstream.go`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from skerry.engine.api.pod_access import STDERR, STDOUT, StreamOptions
from skerry.engine.api.streams.channels import ChannelError
from skerry.engine.api.streams.link import ClientGone, Link
from skerry.engine.api.streams.spdy_session import SpdySession, Stream
from skerry.engine.api.streams.tasks import cancelled
from skerry.engine.api.streams.terminal_size import LatestSize, Sizes
from skerry.kube.errors import BadRequest
from skerry.kube.records import record

_ERROR, _STDIN, _RESIZE = "error", "stdin", "resize"
_OUTPUTS = {STDOUT: "stdout", STDERR: "stderr"}
_TYPES = (_ERROR, _STDIN, *_OUTPUTS.values(), _RESIZE)
_CREATION_SECONDS = 30.0  # within which a client has to open its streams, as in Kubernetes
_LAST_WORDS_SECONDS = 1.0
_GOODBYE_SECONDS = 5.0  # a client is given to close: some lose what they have not read when we do


@record
class CommandVersion:
    """One version of the protocol."""

    name: str
    status: bool = False
    resizes: bool = False


V4 = CommandVersion("v4.channel.k8s.io", status=True, resizes=True)
VERSIONS = (
    CommandVersion("v5.channel.k8s.io", status=True, resizes=True),
    V4,
    CommandVersion("v3.channel.k8s.io", resizes=True),
    CommandVersion("v2.channel.k8s.io"),
    CommandVersion("channel.k8s.io"),
)


class SpdyCommand:
    """A `CommandClient`."""

    def __init__(self, link: Link, version: CommandVersion, options: StreamOptions) -> None:
        self.sizes = LatestSize()
        self.takes_status = version.status
        self._link = link
        self._session = SpdySession(link, self._opened, len(_TYPES))
        self.break_off = self._session.break_off
        self._streams: dict[str, Stream] = {}
        self._missing = _wanted(version, options)
        self._read = {_STDIN: options.stdin, _RESIZE: options.tty}
        self._complete = asyncio.Event()
        self._finishing = False

    def _opened(self, stream: Stream) -> None:
        kind = stream.headers.get("streamtype", "")
        if kind not in _TYPES or kind in self._streams:
            raise BadRequest(f"the streamType {kind[:32]!r} is none, or there is one already")
        self._streams[kind] = stream
        if not self._read.get(kind):
            stream.inbox.discard()
        self._missing.discard(kind)
        if not self._missing:
            self._complete.set()

    async def listen(self) -> None:
        """Serve the connection until the client is gone. Raises ChannelError."""
        running = asyncio.create_task(self._session.run())
        reading = asyncio.create_task(self._read_sizes())
        async with cancelled(running, reading):
            await asyncio.wait({running, reading}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
            await running

    async def begin(self) -> None:
        """Raises ChannelError when a stream is missing for long."""
        try:
            async with asyncio.timeout(_CREATION_SECONDS):
                await self._complete.wait()
        except TimeoutError as error:
            raise ChannelError(f"timed out waiting for the streams {', '.join(sorted(self._missing))}") from error

    async def read_stdin(self) -> bytes:
        """Some bytes; b"" at the end."""
        return await self._streams[_STDIN].read()

    def ignore_stdin(self) -> None:
        """Drop what comes."""
        self._streams[_STDIN].inbox.discard()

    async def write(self, channel: int, data: bytes) -> None:
        """Output. Raises ClientGone."""
        stream = self._streams.get(_OUTPUTS[channel])
        if stream is not None:
            await stream.write(data)

    async def finish(self, last_words: bytes) -> None:
        """End all streams, the outcome's last, and let the client be the one who closes."""
        self._finishing = True
        for kind, stream in self._streams.items():
            if kind != _ERROR and not stream.reset.is_set():
                await stream.write(b"", fin=True)
        await self._streams[_ERROR].write(last_words, fin=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._link.gone()
        await self._link.close()

    async def give_up(self, last_words: bytes) -> None:
        """Only words tell the client: its library takes the end of the connection for the end of the command."""
        if _ERROR not in self._streams or self._finishing:
            return
        with suppress(ClientGone, TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):  # nobody widens a window any more
                await self._streams[_ERROR].write(last_words, fin=True)

    async def _read_sizes(self) -> None:
        """Raises ChannelError."""
        await self._complete.wait()
        stream, sizes = self._streams.get(_RESIZE), Sizes()
        while self._read[_RESIZE] and stream is not None and (data := await stream.read()):
            for size in sizes.feed(data):
                self.sizes.put(size)


def _wanted(version: CommandVersion, options: StreamOptions) -> set[str]:
    asked = {
        _ERROR: True,
        _STDIN: options.stdin,
        _OUTPUTS[STDOUT]: options.stdout,
        _OUTPUTS[STDERR]: options.stderr,
        _RESIZE: options.tty and version.resizes,
    }
    return {kind for kind, is_asked in asked.items() if is_asked}
