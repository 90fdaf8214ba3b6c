"""A watch over a WebSocket: each event is a text message of JSON, the end of the watch closes the socket.

Clients of the Java world (fabric8: Spark, Jenkins, Quarkus) watch so. Source: `HandleWS` of Kubernetes'
`apiserver/pkg/endpoints/handlers/watch.go`; what the client sends is ignored. Neighbour: `watch_stream`, which sends.
"""

from __future__ import annotations

from skerry.engine.api.auth.tokens import BEARER_PROTOCOL
from skerry.engine.api.streams.link import ClientGone
from skerry.engine.api.streams.websocket import WebSocket


class WatchSocket:
    """Takes the events of one watch, as an `Exchange` would."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def start(self, _content_type: bytes) -> None:
        """Complete the handshake, with the first sub-protocol offered that is no token: any will do."""
        offered = (one for one in self._socket.offered if not one.startswith(BEARER_PROTOCOL))
        await self._socket.accept(next(offered, None), text=True)

    async def write(self, events: bytes) -> None:
        """Lines of JSON. What a client that has gone is sent is lost: `gone` tells."""
        try:
            for line in events.splitlines(keepends=True):
                await self._socket.send(line)
        except ClientGone:
            return

    async def finish(self) -> None:
        """Close it in order."""
        await self._socket.close()

    async def gone(self) -> None:
        """Return when the client has gone."""
        while await self._socket.receive() is not None:
            pass
