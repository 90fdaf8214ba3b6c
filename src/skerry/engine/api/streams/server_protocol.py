"""uvicorn's WebSocket protocol as Kubernetes' clients need it. Imported by the first WebSocket.

kubectl offers the sub-protocol `SPDY/3.1+portforward.k8s.io`, whose slash RFC 6455 does not allow in a name and the
`websockets` library refuses; Kubernetes' own server takes it. uvicorn reads the offers itself, so the
library need not. A lost connection is told at once (`scope["state"]["lost"]`), while ASGI would tell it only
after all that came before has been received. And a handshake that was refused is over: uvicorn would log an error for
each.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.datastructures import Headers
from websockets.exceptions import InvalidState
from websockets.server import ServerProtocol

# uvicorn logs every accepted WebSocket with its query, which for an exec is the command with whatever secrets it holds.
_log = logging.getLogger(__name__)
_log.setLevel(logging.WARNING)


SERVER_OPTIONS: dict[str, Any] = {
    "ws_max_size": 4 << 20,  # bytes of one message; kubectl sends 32 KiB, the Python client what it is given
    "ws_ping_interval": 20.0,  # seconds; to a host that is gone, a ping fails the connection
    "ws_ping_timeout": None,  # a client we hold back may answer late: its silence is no sign of death
    "ws_per_message_deflate": False,  # costs more than loopback and data centre networks do
}


class _AnySubprotocol(ServerProtocol):
    def process_subprotocol(self, headers: Headers) -> None:
        """Accept what is offered without parsing it; the application chooses."""


class WebSockets:
    """Makes WebSockets of a server's connections: `application` is ASGI, the sets are the server's own."""

    def __init__(self, application: Any, connections: set[Any], tasks: set[asyncio.Task[None]]) -> None:
        self._config = Config(
            application,
            http=StreamsProtocol,  # not used, but the default would be imported
            ws=StreamsProtocol,
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            **SERVER_OPTIONS,
        )
        self._config.load()
        self._state = ServerState()
        self._state.connections = connections
        self._state.tasks = tasks

    def protocol(self, app_state: dict[str, Any]) -> StreamsProtocol:
        """The protocol of one connection; `app_state` is its `scope["state"]`."""
        return StreamsProtocol(self._config, self._state, app_state)


class StreamsProtocol(WebSocketsSansIOProtocol):
    """One connection that has become a WebSocket."""

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
        self._lost = asyncio.Event()
        super().__init__(config, server_state, {**app_state, "lost": self._lost})
        self.logger = _log
        self.conn = _AnySubprotocol(max_size=config.ws_max_size, logger=_log)

    async def send(self, message: Any) -> None:
        """Send what the application says; a refusal's last part answers the handshake as much as an acceptance does."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whatever of it has not been read yet."""
        self._lost.set()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End the connection in order; one that the peer is already closing is not told again."""
        try:
            super().shutdown()
        except InvalidState:
            self.transport.close()
