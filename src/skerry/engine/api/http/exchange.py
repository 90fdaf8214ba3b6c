"""One HTTP exchange: a request's head, its body as it comes in, and one answer, sent whole or in pieces.

Made by `connection`, which feeds it; served by `edge`. Invariants: a body nobody reads is held up to a bound, then the
client is held back; what comes after the answer is forgotten; the client is waited for while it does not read.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import TypeAlias

from skerry.engine.api.http.flow import Flow
from skerry.engine.api.request import User
from skerry.kube.errors import BadRequest, RequestEntityTooLarge

Headers: TypeAlias = list[tuple[bytes, bytes]]

BODY_LIMIT = 3 * 1024 * 1024
"""Bytes of a request's body, as in Kubernetes."""
_DRAIN_LIMIT = 32 * 1024 * 1024
_DRAIN_SECONDS = 5.0
_HELD = 64 * 1024
"""Bytes of a body that are taken in before anybody reads them."""
_GZIP_FROM = 128 * 1024
_WITHOUT_BODY = (204, 304)
_KNOWN_CODES = frozenset(int(status) for status in HTTPStatus)


@dataclass(slots=True)
class Head:
    """A request's head. `fields`: the headers in order, names in lower case. `user`: whose connection it is."""

    method: str
    path: bytes
    query: bytes
    fields: Headers
    user: User | None
    source: str = ""


@dataclass(slots=True)
class Line:
    """An exchange's way back to its client. `answered` is called once the answer has been handed to `transport`."""

    transport: asyncio.Transport
    flow: Flow
    answered: Callable[[], None]


class Exchange:
    """A request being answered. Answer once: `reply`, or `start`, `write` ..., `finish`."""

    __slots__ = (
        "_chunks", "_complete", "_expected", "_line", "_size", "_unread", "_waiter", "beyond", "code", "ended", "head",
        "headers", "keep_alive", "lost", "patient",
    )  # fmt: skip

    def __init__(self, head: Head, line: Line, *, keep_alive: bool) -> None:
        self.head = head
        self.headers: dict[bytes, bytes] = dict(head.fields)
        """By name; of repeated ones the last."""
        self.keep_alive = keep_alive
        """Whether the connection outlives the answer."""
        self.code = 0
        """The status sent; 0 before that."""
        self.ended = False
        """Whether the answer is complete."""
        self.lost = False
        """Whether the client has gone."""
        self.patient = False
        """Whether the client may leave its answer unread for as long as it likes (logs in a pager)."""
        self.beyond: asyncio.StreamReader | None = None
        """What comes after the request, when the client has asked for another protocol and may get it."""
        self._line = line
        self._chunks: list[bytes] = []
        self._size = 0
        self._unread = 0
        self._complete = False
        self._expected = b"expect" in self.headers and self.headers[b"expect"].lower() == b"100-continue"
        self._waiter: asyncio.Future[None] | None = None

    def feed(self, data: bytes) -> None:
        """Part of the body has come."""
        if self.ended:
            return
        self._chunks.append(data)
        self._size += len(data)
        self._unread += len(data)
        if self._unread > _HELD:
            self._line.flow.pause_reading()
        self._wake()

    def feed_end(self) -> None:
        """The body is complete."""
        self._complete = True
        self._wake()

    def lose(self) -> None:
        """The client has gone."""
        self.lost = not self.ended
        self._wake()

    async def read(self) -> bytes:
        """The whole body. Raises RequestEntityTooLarge, BadRequest when the client went away."""
        length = self.headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > BODY_LIMIT:
            await self._drain(int(length))
            raise _too_large()
        while not self._complete:
            await self._more()
            if self.lost:
                raise BadRequest("the client went away before its request was complete")
            if self._size > BODY_LIMIT:
                await self._drain(self._size)
                raise _too_large()
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)

    async def gone(self) -> None:
        """Return when the client has gone, or has been answered."""
        while not self.lost and not self.ended:
            self._chunks.clear()
            await self._more()

    async def reply(
        self,
        code: int,
        content_type: bytes,
        body: bytes,
        more: Headers | None = None,
        worked: Callable[[], None] | None = None,
    ) -> None:
        """Send a whole answer, in one write; big ones compressed when the client takes that. `worked` is called when
        there is no work left in it but to wait for the client."""
        headers = [*more] if more else []
        if len(body) > _GZIP_FROM and b"gzip" in self.headers.get(b"accept-encoding", b""):
            body = await asyncio.to_thread(_gzip, body)
            headers += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
        if worked is not None:
            worked()
        headers.append((b"content-length", b"%d" % len(body)))
        self.code = code
        head = self._head(content_type, headers)
        await self.send(head + body if self.head.method != "HEAD" else head)
        self.end()

    async def start(self, content_type: bytes, code: int = 200, more: Headers | None = None) -> None:
        """Begin an answer in pieces."""
        self.code = code
        headers = [*more] if more else []
        if code not in _WITHOUT_BODY:
            headers.append((b"transfer-encoding", b"chunked"))
        await self.send(self._head(content_type, headers))

    async def write(self, piece: bytes) -> None:
        """Send a piece; waits while the client does not read."""
        if piece and self.head.method != "HEAD" and self.code not in _WITHOUT_BODY:
            await self.send(framed(piece))

    @property
    def held_up(self) -> bool:
        """Whether what was sent waits for the client to read."""
        return self._line.flow.write_paused

    def put(self, data: bytes) -> None:
        """Send a piece that is `framed` already, whether the client reads or not: ask `held_up` before."""
        if not self.lost:
            self._line.transport.write(data)

    async def finish(self) -> None:
        """End an answer in pieces."""
        if self.head.method != "HEAD" and self.code not in _WITHOUT_BODY:
            await self.send(b"0\r\n\r\n")
        self.end()

    async def switch(self, headers: Headers) -> None:
        """Agree to another protocol: what is sent from now on is `beyond` and `send`, until `end`."""
        self.code = int(HTTPStatus.SWITCHING_PROTOCOLS)
        lines = b"".join([b"%b: %b\r\n" % header for header in headers])
        await self.send(b"HTTP/1.1 101 Switching Protocols\r\n%b\r\n" % lines)

    async def _more(self) -> None:
        """Wait for the next thing to happen to the request."""
        line = self._line
        if self._expected:
            self._expected = False
            line.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._unread = 0
        line.flow.resume_reading()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    async def _drain(self, expected: int) -> None:
        """Read on and forget, within reason: a client that is still sending would lose the answer to a reset."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while max(expected, self._size) <= _DRAIN_LIMIT and not self._complete and not self.lost:
                    self._chunks.clear()
                    await self._more()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _head(self, content_type: bytes, headers: Headers) -> bytes:
        """Status line and headers."""
        if not self.keep_alive:
            headers.append((b"connection", b"close"))
        head = b"".join([_beginning(self.code, content_type), *[b"%b: %b\r\n" % header for header in headers]])
        if b"\ncache-control: " not in head:
            head += b"cache-control: no-cache, private\r\n"
        return head + b"\r\n"

    async def send(self, data: bytes) -> None:
        """Bytes as they are; waits while the client does not read."""
        flow = self._line.flow
        if flow.write_paused and not self.lost:
            await flow.drain()
        if not self.lost:
            self._line.transport.write(data)

    def end(self) -> None:
        """The answer is complete; harmless twice."""
        if self.lost or self.ended:
            return
        self.ended = True
        self._chunks.clear()
        self._wake()
        if not self.keep_alive:
            self._line.transport.close()
        self._line.answered()


def framed(piece: bytes) -> bytes:
    """A piece as it goes over the line (chunked transfer coding)."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


@lru_cache(256)
def _beginning(code: int, content_type: bytes) -> bytes:
    """What all answers of this kind have in common."""
    phrase = HTTPStatus(code).phrase if code in _KNOWN_CODES else "Unknown"
    line = f"HTTP/1.1 {code} {phrase}\r\n".encode()
    return b"%bcontent-type: %b\r\n" % (line, content_type)


def _gzip(body: bytes) -> bytes:
    compressor = zlib.compressobj(1, zlib.DEFLATED, 31)  # 31: a gzip header; level 1 as Kubernetes uses
    return compressor.compress(body) + compressor.flush()


def _too_large() -> RequestEntityTooLarge:
    return RequestEntityTooLarge(f"Request entity too large: limit is {BODY_LIMIT}")
