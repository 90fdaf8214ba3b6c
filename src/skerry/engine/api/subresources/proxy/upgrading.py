"""Sends a request that asks for another protocol (WebSocket, SPDY ...) on to a backend.

When the backend agrees, what follows is bytes both ways that nobody here reads; otherwise its answer is the client's.
Source: apimachinery `pkg/util/proxy/upgradeaware.go`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from urllib.parse import urlsplit

import httptools

from skerry.engine.api.response import Raw, Response, Upgraded
from skerry.engine.api.subresources.proxy.forwarding import (
    CONNECT_SECONDS,
    Fields,
    Outgoing,
    returned_fields,
    unreachable,
)
from skerry.engine.api.trust import unverified

_LARGEST_REFUSAL = 1024 * 1024
"""Bytes of an answer that is no agreement."""
_GOODBYE = 1.0
"""Seconds a backend is given to say goodbye, as TLS wants it."""
_CHUNK = 64 * 1024


class _Answer:
    """What the parser says of an answer."""

    def __init__(self) -> None:
        self.fields: Fields = []
        self.body = b""
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser's: one header."""
        self.fields.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        """The parser's: part of the body."""
        self.body += body

    def on_message_complete(self) -> None:
        """The parser's: the end of the body."""
        self.complete = True


async def upgrade(outgoing: Outgoing, protocol: str) -> Response:
    """The backend's agreement, with the connection, or what it says instead. Raises ServiceUnavailable."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await _connect(outgoing)
    except (OSError, TimeoutError) as error:
        raise unreachable(error) from error
    try:
        writer.write(_head(outgoing, protocol))
        return await _answer(outgoing, reader, writer)
    except (OSError, httptools.HttpParserError) as error:
        writer.close()
        raise unreachable(error) from error
    except BaseException:
        writer.close()
        raise


async def _connect(outgoing: Outgoing) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(outgoing.url)
    if parts.scheme != "https":
        return await asyncio.open_connection(parts.hostname, parts.port or 80)
    context: ssl.SSLContext = outgoing.trust.context or unverified()
    name = outgoing.trust.server_name or parts.hostname
    return await asyncio.open_connection(
        parts.hostname, parts.port or 443, ssl=context, server_hostname=name, ssl_shutdown_timeout=_GOODBYE
    )


def _head(outgoing: Outgoing, protocol: str) -> bytes:
    parts = urlsplit(outgoing.url)
    fields = [*outgoing.headers, ("connection", "Upgrade"), ("upgrade", protocol)]
    if not any(name.lower() == "host" for name, _ in fields):
        fields.append(("host", parts.netloc))
    if outgoing.body or outgoing.method == "POST":
        fields.append(("content-length", str(len(outgoing.body))))
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"{outgoing.method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + outgoing.body


async def _answer(outgoing: Outgoing, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Response:
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    while not answer.complete:
        data = await reader.read(_CHUNK)
        if not data:
            raise ConnectionError("the backend closed the connection before it had answered")
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade as switched:
            return Upgraded(answer.fields, data[switched.args[0] :], reader, writer)
        if len(answer.body) > _LARGEST_REFUSAL:
            raise ConnectionError("the backend's answer is too long")
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    types = [value for name, value in answer.fields if name.lower() == "content-type"]
    headers = dict(returned_fields(answer.fields, outgoing.proxied))
    return Raw(answer.body, (types or ["text/plain; charset=utf-8"])[0], parser.get_status_code(), headers)
