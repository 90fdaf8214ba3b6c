"""WebSockets as uvicorn serves them, but for two things that Kubernetes' clients need.

Names of subprotocols may have a slash (`SPDY/3.1+portforward.k8s.io`), which RFC 6455 does not allow and `websockets`
refuses; which one is spoken is the application's choice anyway. And an application that answers a handshake with a
plain response has completed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.server import ServerProtocol

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent
    from websockets.datastructures import Headers
    from websockets.typing import Subprotocol


class _AnySubprotocol(ServerProtocol):
    def process_subprotocol(self, headers: Headers) -> Subprotocol | None:
        """None is chosen here, and none refused."""
        return None


class SocketProtocol(WebSocketsSansIOProtocol):
    """One connection."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.conn = _AnySubprotocol(
            extensions=self.conn.available_extensions, max_size=self.config.ws_max_size, logger=self.logger
        )

    async def send(self, message: ASGISendEvent) -> None:
        """As ASGI has it."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True
