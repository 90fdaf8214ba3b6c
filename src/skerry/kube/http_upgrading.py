"""Asks an HTTP server for another protocol (WebSocket, SPDY ...): its agreement with the connection, or what it says
instead.

Neighbours: `kube.http_forwarding` and the engine's proxies, which pass other people's requests on. Source: apimachinery
`pkg/util/proxy/upgradeaware.go`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import Iterable
from typing import NamedTuple

import httptools

_CONNECT_SECONDS = 30.0
_LARGEST_REFUSAL = 1024 * 1024
"""Bytes of an answer that is no agreement."""
_GOODBYE = 1.0
"""Seconds a server is given to say goodbye, as TLS wants it."""
_CHUNK = 64 * 1024
_ENDS_A_LINE = re.compile(r"[\r\n\0]")

Fields = list[tuple[str, str]]


class Place(NamedTuple):
    """Where a server is. `tls`: None for plain HTTP; `server_name`: the name in its certificate."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    server_name: str = ""


class Agreed(NamedTuple):
    """The connection is ours from now on. `begun`: what the server has said after its 101 already."""

    fields: Fields
    begun: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Declined(NamedTuple):
    """Any other answer."""

    status: int
    fields: Fields
    body: bytes


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


async def ask(place: Place, request: bytes) -> Agreed | Declined:
    """Send a request, made by `request_bytes`, and take the answer. Raises OSError, also for an answer that is none."""
    async with asyncio.timeout(_CONNECT_SECONDS):
        reader, writer = await _connect(place)
    try:
        writer.write(request)
        return await _answer(reader, writer)
    except httptools.HttpParserError as error:
        writer.close()
        raise ConnectionError(f"the answer is no HTTP: {error}") from error
    except BaseException:
        writer.close()
        raise


def request_bytes(method: str, target: str, fields: Iterable[tuple[str, str]], protocol: str, body: bytes) -> bytes:
    """A request for a protocol. `target` is escaped; `fields` have a host and none of one connection's, and are bytes
    as Latin-1. Raises ValueError for one that would be several."""
    sent = [*fields, ("connection", "Upgrade"), ("upgrade", protocol)]
    if body or method == "POST":
        sent.append(("content-length", str(len(body))))
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent)
    for name, value in (*sent, (method, target)):
        if _ENDS_A_LINE.search(name + value):
            raise ValueError(f"the header {name!r} would end its line")
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


async def _connect(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if place.tls is None:
        return await asyncio.open_connection(place.host, place.port)
    name = place.server_name or place.host
    return await asyncio.open_connection(
        place.host, place.port, ssl=place.tls, server_hostname=name, ssl_shutdown_timeout=_GOODBYE
    )


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Agreed | Declined:
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    while not answer.complete:
        data = await reader.read(_CHUNK)
        if not data:
            raise ConnectionError("the connection was closed before there was an answer")
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade as switched:
            return Agreed(answer.fields, data[switched.args[0] :], reader, writer)
        if len(answer.body) > _LARGEST_REFUSAL:
            raise ConnectionError("the answer is too long")
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return Declined(parser.get_status_code(), answer.fields, answer.body)
