"""One accepted or refused WebSocket, over ASGI.

uvicorn below holds back the peer while nobody receives (back-pressure) and sends pings; the settings of it
that streams rely on are in `server_protocol`. Neighbour: `link`, whose contract this keeps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

import orjson

from skerry.engine.api.streams.link import ClientGone
from skerry.kube.errors import StatusError

Scope: TypeAlias = MutableMapping[str, Any]
Event: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Event]]
Send: TypeAlias = Callable[[Event], Awaitable[None]]

_NORMAL, _PROTOCOL_ERROR = 1000, 1002


class WebSocket:
    """The server's side of one WebSocket."""

    def __init__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        self.offered: list[str] = list(scope.get("subprotocols") or ())
        self._lost: asyncio.Event = (scope.get("state") or {}).get("lost") or asyncio.Event()
        self._receive = receive
        self._send = send
        self._text = False

    async def accept(self, subprotocol: str | None, *, text: bool = False) -> None:
        """Complete the handshake. `text`: send text messages instead of binary ones."""
        self._text = text
        await self._receive()  # websocket.connect
        await self._out({"type": "websocket.accept", "subprotocol": subprotocol})

    async def receive(self) -> bytes | None:
        """The next message (text as UTF-8), None when the peer is gone."""
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            return None
        data = event.get("bytes")
        return data if data is not None else str(event.get("text") or "").encode()

    async def send(self, data: bytes) -> None:
        """One message; waits while the peer does not read. Raises ClientGone."""
        if self._text:
            await self._out({"type": "websocket.send", "text": data.decode()})
        else:
            await self._out({"type": "websocket.send", "bytes": data})

    async def close(self, code: int = _NORMAL, reason: str = "") -> None:
        """End in order; harmless when the peer is gone. `reason` is cut at what a close frame holds."""
        try:
            short = reason.encode()[:120].decode(errors="ignore")
            await self._out({"type": "websocket.close", "code": code, "reason": short})
        except ClientGone:
            return

    async def break_off(self, reason: str) -> None:
        """End because the peer broke the protocol; harmless when it is gone."""
        await self.close(_PROTOCOL_ERROR, reason)

    async def gone(self) -> None:
        """Return when the connection is lost, also while nobody receives."""
        await self._lost.wait()

    async def refuse(self, error: StatusError) -> None:
        """Answer the handshake with a Status instead of accepting it."""
        body = orjson.dumps(error.to_json())
        headers = [(b"content-type", b"application/json")]
        await self._out({"type": "websocket.http.response.start", "status": error.code, "headers": headers})
        await self._out({"type": "websocket.http.response.body", "body": body})

    async def _out(self, event: Event) -> None:
        try:
            await self._send(event)
        except OSError as error:  # uvicorn's ClientDisconnected is one
            raise ClientGone from error
