"""Back-pressure of a connection: reading stops while there is too much unread, writing waits while the peer is slow."""

from __future__ import annotations

import asyncio


class Flow:
    """The flow control of one transport."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.write_paused = False
        self.read_paused = False
        self._transport = transport
        self._writable = asyncio.Event()
        self._writable.set()

    async def drain(self) -> None:
        """Wait until the peer has taken enough of what was written."""
        await self._writable.wait()

    def pause_reading(self) -> None:
        """Take no more from the peer; harmless twice."""
        if not self.read_paused:
            self.read_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take from the peer again; harmless twice."""
        if self.read_paused:
            self.read_paused = False
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        """The transport's buffer is full."""
        self.write_paused = True
        self._writable.clear()

    def resume_writing(self) -> None:
        """The transport's buffer has room, or nobody will ever read it."""
        self.write_paused = False
        self._writable.set()
