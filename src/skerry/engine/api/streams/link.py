"""What carries a conversation's bytes: the messages of a WebSocket, or a connection that has switched to SPDY.

Implemented by `websocket` and `http.switching`; spoken over by `spdy_session` and the channel protocols. Invariant:
after `receive` gave None, or `send` raised ClientGone, the peer is gone.
"""

from __future__ import annotations

from typing import Protocol


class ClientGone(Exception):
    """The peer has closed the connection, or it is lost."""


class Link(Protocol):
    """The server's side of one connection."""

    async def receive(self) -> bytes | None:
        """Some bytes, None when the peer is gone."""
        ...

    async def send(self, data: bytes) -> None:
        """Bytes in order; waits while the peer does not read. Raises ClientGone."""
        ...

    async def close(self) -> None:
        """End in order; harmless when the peer is gone."""
        ...

    async def break_off(self, reason: str) -> None:
        """End because the peer broke the protocol; harmless when it is gone."""
        ...

    async def gone(self) -> None:
        """Return when the connection is lost, also while nobody receives."""
        ...
