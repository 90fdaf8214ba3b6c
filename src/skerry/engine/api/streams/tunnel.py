"""kubectl's port-forward: SPDY/3.1 inside a WebSocket, any number of connections in one tunnel.

For every connection the client opens an error stream and a data stream with the same `requestID` header; a pair becomes
a lane that `port_forward` serves. Frames are encoded and sent under one lock because header compression makes
their order part of the protocol. Source: client-go `tools/portforward` and `moby/spdystream`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from skerry.engine.api.streams import spdy
from skerry.engine.api.streams.inbox import Inbox
from skerry.engine.api.streams.port_forward import Lane
from skerry.engine.api.streams.spdy import (
    Data,
    Frame,
    GoAway,
    Ping,
    Reset,
    SpdyError,
    SynReply,
    SynStream,
    WindowUpdate,
)
from skerry.engine.api.streams.targets import port_number
from skerry.engine.api.streams.tasks import cancelled
from skerry.engine.api.streams.websocket import PROTOCOL_ERROR, ClientGone, WebSocket
from skerry.kube.errors import BadRequest
from skerry.kube.records import record

SUBPROTOCOL = "SPDY/3.1+portforward.k8s.io"

_MAX_STREAMS = 2000  # open at once in one tunnel: two for each connection
_UPDATE_AFTER = spdy.INITIAL_WINDOW // 2  # bytes consumed before the peer is told

Serve = Callable[[int, Lane], Coroutine[None, None, None]]
"""Serve one connection to a port."""


class Tunnel:
    """One client's tunnel."""

    def __init__(self, socket: WebSocket, serve: Serve) -> None:
        self._socket = socket
        self._serve = serve
        self._encoder = spdy.Encoder()
        self._sending = asyncio.Lock()
        self._streams: dict[int, Stream] = {}
        self._unpaired: dict[str, Stream] = {}
        self._lanes: set[asyncio.Task[None]] = set()
        self._last = 0

    async def run(self) -> None:
        """Serve until the client is gone; nothing runs on afterwards."""
        decoder = spdy.Decoder()
        try:
            while (message := await self._socket.receive()) is not None:
                for frame in decoder.feed(message):
                    await self._handle(frame)
        except SpdyError as error:
            await self._break_off(str(error))
        except ClientGone:
            return
        finally:
            async with cancelled(*self._lanes):
                self._streams.clear()

    async def send(self, frame: Frame) -> None:
        """One frame, in order. Raises ClientGone."""
        async with self._sending:
            await self._socket.send(self._encoder.encode(frame))

    def forget(self, stream: Stream) -> None:
        """The stream has ended in both directions."""
        self._streams.pop(stream.id, None)

    async def _handle(self, frame: Frame) -> None:
        match frame:
            case Data():
                await self._take_data(frame)
            case SynStream():
                await self._open(frame)
            case Reset():
                self._end(frame.stream)
            case Ping() if frame.id % 2:  # the client's are odd; even ones would answer ours, and we send none
                await self.send(frame)
            case _:  # settings and windows do not bind us (docs/decisions/0008-spdy-framing.md), replies cannot come
                return

    async def _take_data(self, frame: Data) -> None:
        stream = self._streams.get(frame.stream)
        if stream is None:
            return  # we have ended it and the client did not know yet
        await stream.inbox.put(frame.data)
        if frame.fin:
            stream.inbox.end()

    async def _open(self, frame: SynStream) -> None:
        if frame.stream <= self._last or frame.stream % 2 == 0:
            raise SpdyError(f"stream {frame.stream} is not a new one of the client's")
        self._last = frame.stream
        try:
            request = _request_of(frame)
        except BadRequest:
            return await self.send(Reset(frame.stream, spdy.PROTOCOL_ERROR))
        if len(self._streams) >= _MAX_STREAMS:
            return await self.send(Reset(frame.stream, spdy.REFUSED_STREAM))
        stream = self._streams[frame.stream] = Stream(frame.stream, request, self)
        if frame.fin:
            stream.inbox.end()
        await self.send(SynReply(frame.stream))
        return self._pair(stream)

    def _pair(self, stream: Stream) -> None:
        request = stream.request
        other = self._unpaired.pop(request.id, None)
        if other is None:
            self._unpaired[request.id] = stream
            return
        if other.request.kind == request.kind or other.request.port != request.port:
            raise SpdyError(f"the streams of request {request.id[:32]} do not belong together")
        lane = PairLane(stream, other) if request.kind == "data" else PairLane(other, stream)
        task = asyncio.create_task(self._serve_lane(request.port, lane))
        self._lanes.add(task)
        task.add_done_callback(self._lanes.discard)

    async def _serve_lane(self, port: int, lane: PairLane) -> None:
        try:
            await self._serve(port, lane)
        except ClientGone:
            return
        finally:
            lane.forget()

    def _end(self, number: int) -> None:
        """The client has reset a stream: nobody reads it any more, nor writes."""
        stream = self._streams.pop(number, None)
        if stream is not None:
            self._unpaired.pop(stream.request.id, None)
            stream.reset = True
            stream.inbox.end()

    async def _break_off(self, reason: str) -> None:
        try:
            await self.send(GoAway(self._last, spdy.PROTOCOL_ERROR))
            await self._socket.close(PROTOCOL_ERROR, reason)
        except ClientGone:
            return


@record
class Request:
    """What a stream is for. kind: "error" or "data"."""

    id: str
    kind: str
    port: int


class Stream:
    """One stream of a tunnel."""

    def __init__(self, number: int, request: Request, tunnel: Tunnel) -> None:
        self.id = number
        self.request = request
        self.inbox = Inbox()
        self.reset = False
        self._tunnel = tunnel
        self._consumed = 0

    async def read(self) -> bytes:
        """Some bytes; b"" at the end."""
        data = await self.inbox.get()
        self._consumed += len(data)
        if self._consumed >= _UPDATE_AFTER:
            consumed, self._consumed = self._consumed, 0
            await self._tunnel.send(WindowUpdate(self.id, consumed))
            await self._tunnel.send(WindowUpdate(0, consumed))
        return data

    async def write(self, data: bytes, *, fin: bool = False) -> None:
        """Send, and with `fin` end our direction. Raises ClientGone, also when the client has reset the stream."""
        if self.reset:
            raise ClientGone
        await self._tunnel.send(Data(self.id, data, fin))

    def forget(self) -> None:
        """We are done with it, whatever the client still sends."""
        self.inbox.discard()
        self._tunnel.forget(self)


class PairLane:
    """A data stream and its error stream as a `Lane`."""

    def __init__(self, data: Stream, error: Stream) -> None:
        self._data = data
        self._error = error

    async def read(self) -> bytes:
        """Some bytes of the client."""
        return await self._data.read()

    async def write(self, data: bytes) -> None:
        """Bytes for the client."""
        await self._data.write(data)

    async def fail(self, message: str) -> None:
        """Say on the error stream what went wrong."""
        await self._error.write(message.encode())

    async def finish(self) -> None:
        """End both streams: clients wait for the error stream's end, to know that nothing went wrong."""
        if not self._data.reset:
            await self._data.write(b"", fin=True)
        await self._error.write(b"", fin=True)

    def forget(self) -> None:
        """Nothing more will be read or written."""
        self._data.forget()
        self._error.forget()


def _request_of(frame: SynStream) -> Request:
    """Raises BadRequest for headers that name no stream of a port-forward."""
    kind, request = frame.headers.get("streamtype", ""), frame.headers.get("requestid", "")
    if kind not in ("error", "data") or not request:
        raise BadRequest("a port-forward's stream has a streamType (error or data) and a requestID")
    return Request(request, kind, port_number(frame.headers.get("port", "")))
