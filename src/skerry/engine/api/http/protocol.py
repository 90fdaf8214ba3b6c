"""uvicorn's HTTP protocol with what a Kubernetes API needs: the client's certificate, and a Status for what is no HTTP.

A connection's user is worked out once, when it is made. The WebSocket implementation is imported when first needed.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from skerry.engine.api.auth.authentication import user_of_certificate
from skerry.engine.api.streams.websocket import SERVER_OPTIONS
from skerry.kube.errors import BadRequest

KEEP_ALIVE = 120
"""Seconds an idle connection is kept: Go clients give theirs up after 90."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Learn who it is; the TLS handshake is over by now."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        self.app_state = {"user": user_of_certificate(tls.getpeercert() if tls is not None else None)}

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be parsed, and end the connection."""
        body = orjson.dumps(BadRequest(msg).to_json())
        head = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close"
        self.transport.write(head % len(body) + b"\r\n\r\n" + body)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Quietly ignore offers to upgrade to what we do not speak (h2c, SPDY): the request itself is answered."""


def configuration(app: Any) -> Config:
    """uvicorn's configuration for an application: no signal handlers, no logs of its own, no lifespan."""
    config = Config(
        app,
        http=Protocol,
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE,
        server_header=False,
        date_header=False,
        **SERVER_OPTIONS,
    )
    config.load()
    return config
