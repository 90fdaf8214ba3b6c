"""One HTTP exchange over ASGI: reading the body within its limit, sending an answer whole or in pieces."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any, TypeAlias

from skerry.kube.errors import BadRequest, RequestEntityTooLarge

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Reply: TypeAlias = Callable[[bytes, bytes], Awaitable[None]]
"""Sends a whole answer: status line and headers, body (`http.protocol` provides it)."""
Headers: TypeAlias = list[tuple[bytes, bytes]]

BODY_LIMIT = 3 * 1024 * 1024
"""Bytes of a request's body, as in Kubernetes."""
_DRAIN_LIMIT = 32 * 1024 * 1024
_DRAIN_SECONDS = 5.0
_GZIP_FROM = 128 * 1024
_STATUS_LINES = {code.value: f"HTTP/1.1 {code.value} {code.phrase}\r\n".encode() for code in HTTPStatus}
_NO_CACHE = (b"cache-control", b"no-cache, private")


class Exchange:
    """A request being answered. Answer once: `reply`, or `start`, `write` ..., `finish`."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.code = 0
        """The status sent; 0 before that."""
        self._receive = receive
        self._send = send
        self._reply: Reply = scope["state"].get("reply")  # a WebSocket has none

    async def read(self) -> bytes:
        """The whole body. Raises RequestEntityTooLarge, BadRequest when the client went away."""
        length = self.headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > BODY_LIMIT:
            await self._drain(int(length))
            raise _too_large()
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise BadRequest("the client went away before its request was complete")
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > BODY_LIMIT:
                await self._drain(size)
                raise _too_large()
            if not message.get("more_body", False):
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _drain(self, expected: int) -> None:
        """Read on and forget, within reason: a client that is still sending would lose the answer to a reset."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while expected <= _DRAIN_LIMIT:
                    message = await self._receive()
                    expected += len(message.get("body", b"")) if not self.headers.get(b"content-length") else 0
                    if not message.get("more_body", False):
                        return

    async def gone(self) -> None:
        """Return when the client has gone."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def reply(self, code: int, content_type: bytes, body: bytes, more: Headers | None = None) -> None:
        """Send a whole answer; big ones compressed when the client takes that."""
        headers = [(b"content-type", content_type), _NO_CACHE]
        if more:
            headers += more
        if len(body) > _GZIP_FROM and b"gzip" in self.headers.get(b"accept-encoding", b""):
            body = await asyncio.to_thread(_gzip, body)
            headers += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
        self.code = code
        await self._reply(_head(code, len(body), headers), body)

    async def start(self, content_type: bytes) -> None:
        """Begin an answer in pieces."""
        self.code = 200
        headers = [(b"content-type", content_type), _NO_CACHE]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def write(self, piece: bytes) -> None:
        """Send a piece; waits while the client does not read."""
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def finish(self) -> None:
        """End an answer in pieces."""
        await self._send({"type": "http.response.body", "body": b""})


def _head(code: int, length: int, headers: Headers) -> bytes:
    """Status line and headers, each with its end."""
    lines = b"".join([b"%b: %b\r\n" % header for header in headers])
    return b"%b%bcontent-length: %d\r\n" % (_STATUS_LINES[code], lines, length)


def _gzip(body: bytes) -> bytes:
    compressor = zlib.compressobj(1, zlib.DEFLATED, 31)  # 31: a gzip header; level 1 as Kubernetes uses
    return compressor.compress(body) + compressor.flush()


def _too_large() -> RequestEntityTooLarge:
    return RequestEntityTooLarge(f"Request entity too large: limit is {BODY_LIMIT}")
