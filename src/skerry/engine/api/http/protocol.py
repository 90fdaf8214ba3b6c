"""uvicorn's HTTP protocol with what a Kubernetes API needs: the client's certificate, and a Status for what is no HTTP.

A connection's user is worked out once, when it is made. The WebSocket implementation is imported when first needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from skerry.engine.api.auth.authentication import user_of_connection
from skerry.engine.api.streams.websocket import SERVER_OPTIONS
from skerry.kube.errors import BadRequest

KEEP_ALIVE = 120
"""Seconds an idle connection is kept: Go clients give theirs up after 90."""
HEAD_LIMIT = 64 * 1024
"""Bytes of URL and headers; nobody we serve comes near it, and uvicorn has no limit of its own."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    on_lost: Callable[[], None] = staticmethod(lambda: None)
    """Called when the connection is gone for good."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the server, which waits for it when it stops."""
        super().connection_lost(exc)
        self.on_lost()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Learn who it is; the TLS handshake is over by now."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        self.app_state = {"user": user_of_connection(tls) if tls is not None else None}

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Offer the application the short way to answer."""
        cycle.scope["state"]["reply"] = partial(_reply, cycle)
        super()._start_asgi_task(cycle, app)

    def on_message_begin(self) -> None:
        """A new request: its head may be so long."""
        super().on_message_begin()
        self._left = HEAD_LIMIT

    def on_url(self, url: bytes) -> None:
        """Part of the URL."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise ValueError("the request's head is too long")  # the parser reports it: 400

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be parsed, and end the connection."""
        body = orjson.dumps(BadRequest(msg).to_json())
        head = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close"
        self.transport.write(head % len(body) + b"\r\n\r\n" + body)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Quietly ignore offers to upgrade to what we do not speak (h2c, SPDY): the request itself is answered."""


async def _reply(cycle: RequestResponseCycle, head: bytes, body: bytes) -> None:
    """Send a whole answer in one write: ASGI's two messages are two TLS records and two system calls.

    `head` is the status line and headers without the empty line that ends them.
    """
    if cycle.flow.write_paused and not cycle.disconnected:
        await cycle.flow.drain()
    if cycle.disconnected:
        return
    cycle.response_started = cycle.response_complete = True
    end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
    cycle.transport.write(b"%b%b%b" % (head, end, b"" if cycle.scope["method"] == "HEAD" else body))
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()


def configuration(app: Any) -> Config:
    """uvicorn's configuration for an application: no signal handlers, no logs of its own, no lifespan."""
    config = Config(
        app,
        http=Protocol,
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        server_header=False,
        date_header=False,
        **SERVER_OPTIONS,
    )
    config.load()
    return config
