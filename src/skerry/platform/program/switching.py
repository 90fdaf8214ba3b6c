"""HTTP as uvicorn serves it, but that a request may become SPDY, as Kubernetes' older clients ask for.

ASGI knows no such upgrade: an application that wants to agree finds `SWITCHING` among its scope's extensions
(`kube.switching`), and whoever does not look there answers an ordinary request. Neighbour: `sockets` (WebSockets).
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from skerry.kube.switching import SWITCHING

_SPDY = b"spdy/3.1"


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._chunk = b""
        self._beyond: asyncio.StreamReader | None = None
        """Where everything goes that comes after a request for SPDY."""
        self._past_request = False

    def data_received(self, data: bytes) -> None:
        """Parse, or hand on."""
        if self._beyond is not None and self._past_request:
            self._beyond.feed_data(data)
            return
        self._chunk = data
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """The parser's: begin to answer."""
        if self.parser.should_upgrade() and self._get_upgrade() == _SPDY:
            self._beyond = asyncio.StreamReader()
            self._beyond.set_transport(self.transport)
            self.scope["extensions"] = cast(Any, {SWITCHING: _Switching(self, self._beyond)})
        super().on_headers_complete()
        if self._beyond is not None:
            self.cycle.keep_alive = False

    def _unsupported_upgrade_warning(self) -> None:
        """The parser has come to the request's end."""
        met = sys.exc_info()[1]
        if self._beyond is not None and isinstance(met, httptools.HttpParserUpgrade):
            self._past_request = True
            self._beyond.feed_data(self._chunk[met.args[0] :])

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        super().connection_lost(exc)
        if self._beyond is not None:
            self._beyond.feed_eof()


class _Switching:
    """A `kube.switching.Switching`."""

    def __init__(self, protocol: HttpProtocol, reader: asyncio.StreamReader) -> None:
        self.reader = reader
        self._protocol = protocol

    async def agree(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Say 101. uvicorn takes the request for answered, so that it ends with the server and not before."""
        cycle = self._protocol.cycle
        cycle.response_started = cycle.response_complete = True
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        await self.write(b"HTTP/1.1 101 Switching Protocols\r\n%b\r\n" % lines)

    async def write(self, data: bytes) -> None:
        """Bytes; waits while the client does not read. What it is sent after it has gone is lost."""
        transport = self._protocol.transport
        if not transport.is_closing():
            transport.write(data)
            await self._protocol.flow.drain()

    def close(self) -> None:
        """End the connection, after what was written."""
        self._protocol.transport.close()
