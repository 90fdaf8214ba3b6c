"""One client's SPDY connection: its streams, whatever they are for.

`tunnel` makes forwarded connections of streams, `spdy_command` a command's standard streams. Frames are encoded and
sent under one lock, because header compression makes their order part of the protocol. Invariants: streams are only
opened by the client, and bounded in number; what waits to be read is bounded for each stream and for all together
(`inbox`), after which nothing is read from the client; what is sent waits for the client's windows (`windows`).
Source: the SPDY protocol, draft 3.1, and `moby/spdystream`, which Kubernetes' clients use.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from skerry.engine.api.streams import spdy
from skerry.engine.api.streams.inbox import Inbox, Room
from skerry.engine.api.streams.link import ClientGone, Link
from skerry.engine.api.streams.spdy import (
    Data,
    Frame,
    GoAway,
    Ping,
    Reset,
    Settings,
    SpdyError,
    SynReply,
    SynStream,
    WindowUpdate,
)
from skerry.engine.api.streams.tasks import cancelled
from skerry.engine.api.streams.windows import Windows
from skerry.kube.errors import BadRequest

_UPDATE_AFTER = spdy.INITIAL_WINDOW // 2  # bytes taken in before the peer is told
_UNREAD = 4 << 20  # bytes of all streams of a connection
_LARGEST_DATA = 64 << 10  # bytes of a frame we send
_PING_SECONDS = 20.0  # to a host that is gone, a ping fails the connection


class SpdySession:
    """One connection's streams."""

    def __init__(self, link: Link, opened: Callable[[Stream], None], most: int) -> None:
        """`opened` is given each new stream, at most `most` at once, and raises BadRequest for one that it does not
        take, SpdyError for one that no client opens."""
        self._link = link
        self._opened = opened
        self._most = most
        self._encoder = spdy.Encoder()
        self._sending = asyncio.Lock()
        self._windows = Windows()
        self._room = Room(_UNREAD)
        self._streams: dict[int, Stream] = {}
        self._last = 0
        self._taken = 0
        """Bytes of data since the client was last told."""

    async def run(self) -> None:
        """Take in what the client sends until it is gone; one that breaks the protocol is told so and cut off."""
        try:
            async with cancelled(asyncio.create_task(self._ping())):
                await self._take_frames()
        except SpdyError as error:
            await self.break_off(str(error))
        except ClientGone:
            return
        finally:
            self._streams.clear()

    async def break_off(self, reason: str) -> None:
        """End the connection because of what the client did; harmless when it is gone."""
        try:
            await self._send(GoAway(self._last, spdy.PROTOCOL_ERROR))
            await self._link.break_off(reason)
        except ClientGone:
            return

    async def _take_frames(self) -> None:
        decoder = spdy.Decoder()
        while (data := await self._link.receive()) is not None:
            for frame in decoder.feed(data):
                await self._handle(frame)

    async def _handle(self, frame: Frame) -> None:
        match frame:
            case Data():
                await self._take_data(frame)
            case SynStream():
                await self._open(frame)
            case Reset():
                self._end(frame.stream)
            case Ping() if frame.id % 2:  # the client's are odd; even ones answer ours
                await self._send(frame)
            case WindowUpdate():
                self._windows.update(frame)
            case Settings():
                self._windows.set(frame)
            case _:  # headers that come later mean nothing here, replies cannot come, who goes away closes
                return

    async def _take_data(self, frame: Data) -> None:
        """The stream's window is given back when it is read; that of the connection, which bounds all of them, now."""
        stream = self._streams.get(frame.stream)
        if stream is not None:  # otherwise we have ended it and the client did not know yet
            await stream.inbox.put(frame.data)
            if frame.fin:
                stream.inbox.end()
        self._taken += len(frame.data)
        if self._taken >= _UPDATE_AFTER:
            taken, self._taken = self._taken, 0
            await self._send(WindowUpdate(0, taken))

    async def _open(self, frame: SynStream) -> None:
        if frame.stream <= self._last or frame.stream % 2 == 0:
            raise SpdyError(f"stream {frame.stream} is not a new one of the client's")
        self._last = frame.stream
        if len(self._streams) >= self._most:
            return await self._send(Reset(frame.stream, spdy.REFUSED_STREAM))
        stream = Stream(frame.stream, frame.headers, self, Inbox(room=self._room))
        try:
            self._opened(stream)
        except BadRequest:
            return await self._send(Reset(frame.stream, spdy.PROTOCOL_ERROR))
        self._streams[frame.stream] = stream
        self._windows.open(frame.stream)
        if frame.fin:
            stream.inbox.end()
        return await self._send(SynReply(frame.stream))

    def _end(self, number: int) -> None:
        """The client has reset a stream: nobody reads it any more, nor writes."""
        stream = self._streams.pop(number, None)
        if stream is not None:
            stream.reset.set()
            stream.inbox.end()
            self._windows.close(number)

    async def _ping(self) -> None:
        number = 0
        while True:
            await asyncio.sleep(_PING_SECONDS)
            number = (number + 2) % 2**31
            try:
                await self._send(Ping(number))
            except ClientGone:
                return  # who reads finds out as well

    async def _send(self, frame: Frame) -> None:
        """One frame, in order. Raises ClientGone."""
        async with self._sending:
            await self._link.send(self._encoder.encode(frame))

    async def consumed(self, stream: Stream, count: int) -> None:
        """For streams: bytes were read. Raises ClientGone."""
        await self._send(WindowUpdate(stream.id, count))

    async def send_data(self, stream: Stream, data: bytes, *, fin: bool) -> None:
        """For streams: bytes, as the client's windows let them go. Raises ClientGone, also when the stream is over."""
        at = 0
        while at < len(data):
            count = await self._windows.take(stream.id, min(len(data) - at, _LARGEST_DATA))
            if not count:
                raise ClientGone
            await self._send(Data(stream.id, data[at : at + count], fin and at + count == len(data)))
            at += count
        if fin and not data:
            await self._send(Data(stream.id, b"", fin=True))

    def forget(self, stream: Stream) -> None:
        """For streams: one has ended in both directions; harmless twice."""
        self._streams.pop(stream.id, None)
        self._windows.close(stream.id)


class Stream:
    """One stream that the client has opened. `headers`: with names in lower case."""

    def __init__(self, number: int, headers: Mapping[str, str], session: SpdySession, inbox: Inbox) -> None:
        self.id = number
        self.headers = headers
        self.inbox = inbox
        self.reset = asyncio.Event()
        """Set when the client has reset it."""
        self._session = session
        self._consumed = 0

    async def read(self) -> bytes:
        """Some bytes; b"" at the end."""
        data = await self.inbox.get()
        self._consumed += len(data)
        if self._consumed >= _UPDATE_AFTER:
            consumed, self._consumed = self._consumed, 0
            await self._session.consumed(self, consumed)
        return data

    async def write(self, data: bytes, *, fin: bool = False) -> None:
        """Send, and with `fin` end our direction. Raises ClientGone, also when the client has reset the stream."""
        if self.reset.is_set():
            raise ClientGone
        await self._session.send_data(self, data, fin=fin)

    def forget(self) -> None:
        """We are done with it, whatever the client still sends."""
        self.inbox.discard()
        self._session.forget(self)
