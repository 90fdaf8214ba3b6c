"""Port-forwards over SPDY: any number of connections to a pod in one connection of the client.

For each the client opens an error stream and a data stream with the same `requestID` header; a pair becomes a lane that
`port_forward` serves. It is the same after an upgrade to SPDY and inside a WebSocket (kubectl since 1.31). Source:
client-go `tools/portforward`, the kubelet's `portforward/httpstream.go`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress

from skerry.engine.api.streams.link import ClientGone, Link
from skerry.engine.api.streams.port_forward import Lane
from skerry.engine.api.streams.spdy import SpdyError
from skerry.engine.api.streams.spdy_session import SpdySession, Stream
from skerry.engine.api.streams.targets import port_number
from skerry.engine.api.streams.tasks import cancelled
from skerry.kube.errors import BadRequest
from skerry.kube.records import record

SUBPROTOCOL = "SPDY/3.1+portforward.k8s.io"
"""The name of a WebSocket's protocol that carries SPDY."""

_MAX_STREAMS = 2000  # open at once in one tunnel: two for each connection
_PAIR_SECONDS = 30.0  # within which a stream's other one has to come, as in Kubernetes

Serve = Callable[[int, Lane], Coroutine[None, None, None]]
"""Serve one connection to a port."""


@record
class _Request:
    """What a stream is for. kind: "error" or "data"."""

    id: str
    kind: str
    port: int


@record
class _Unpaired:
    """A stream without its other one; `waiting` ends it when there will be none."""

    stream: Stream
    request: _Request
    waiting: asyncio.Task[None]


class Tunnel:
    """One client's tunnel."""

    def __init__(self, link: Link, serve: Serve) -> None:
        self._serve = serve
        self._session = SpdySession(link, self._opened, _MAX_STREAMS)
        self._unpaired: dict[str, _Unpaired] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until the client is gone; nothing runs on afterwards."""
        try:
            await self._session.run()
        finally:
            async with cancelled(*self._tasks):
                self._unpaired.clear()

    def _opened(self, stream: Stream) -> None:
        request = _request_of(stream)
        other = self._unpaired.pop(request.id, None)
        if other is None:
            waiting = self._begin(self._await_other(stream, request))
            self._unpaired[request.id] = _Unpaired(stream, request, waiting)
            return
        other.waiting.cancel()
        if other.request.kind == request.kind or other.request.port != request.port:
            raise SpdyError(f"the streams of request {request.id[:32]} do not belong together")
        lane = PairLane(stream, other.stream) if request.kind == "data" else PairLane(other.stream, stream)
        self._begin(self._serve_lane(request.port, lane))

    def _begin(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _await_other(self, stream: Stream, request: _Request) -> None:
        """Cancelled when a stream's other one comes; when none does, or the client resets the first, it is over."""
        try:
            async with asyncio.timeout(_PAIR_SECONDS):
                await stream.reset.wait()
        except TimeoutError:
            await _give_up(stream, request)
        del self._unpaired[request.id]

    async def _serve_lane(self, port: int, lane: PairLane) -> None:
        try:
            await self._serve(port, lane)
        except ClientGone:
            return
        finally:
            lane.forget()


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
        if not self._data.reset.is_set():
            await self._data.write(b"", fin=True)
        await self._error.write(b"", fin=True)

    def forget(self) -> None:
        """Nothing more will be read or written."""
        self._data.forget()
        self._error.forget()


def _request_of(stream: Stream) -> _Request:
    """Raises BadRequest for headers that name no stream of a port-forward."""
    headers = stream.headers
    kind, request = headers.get("streamtype", ""), headers.get("requestid", "")
    if kind not in ("error", "data") or not request:
        raise BadRequest("a port-forward's stream has a streamType (error or data) and a requestID")
    return _Request(request, kind, port_number(headers.get("port", "")))


async def _give_up(stream: Stream, request: _Request) -> None:
    said = b"timed out waiting for the request's other stream" if request.kind == "error" else b""
    with suppress(ClientGone):
        await stream.write(said, fin=True)
    stream.forget()
