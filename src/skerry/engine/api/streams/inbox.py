"""A bounded buffer of bytes between the task that reads a client and the one that feeds a pod.

It lets the reader see resizes and closes while a pod is slow, and holds the peer back when `limit` bytes wait. Inboxes
of one connection may share a `Room`, so that many of them do not hold many times as much.
"""

from __future__ import annotations

import asyncio


class Room:
    """What may wait in several inboxes together."""

    def __init__(self, limit: int) -> None:
        """`limit`: bytes that may wait before `there_is` does."""
        self._left = limit
        self._free = asyncio.Event()
        self._free.set()

    async def there_is(self) -> None:
        """Wait while the room is full."""
        await self._free.wait()

    def take(self, count: int) -> None:
        """So many bytes wait now, or with a negative number no longer."""
        self._left -= count
        if self._left > 0:
            self._free.set()
        else:
            self._free.clear()


class Inbox:
    """One writer, one reader."""

    def __init__(self, limit: int = 256 << 10, room: Room | None = None) -> None:
        """`limit`: bytes that may wait before `put` does."""
        self._limit = limit
        self._room = room
        self._chunks: list[bytes] = []
        self._size = 0
        self._ended = False
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    async def put(self, data: bytes) -> None:
        """Add; waits while the buffer, or the room, is full. What comes after the end is dropped."""
        await self._writable.wait()
        if self._room is not None:
            await self._room.there_is()
        if self._ended or not data:
            return
        self._chunks.append(data)
        self._hold(len(data))
        self._readable.set()
        if self._size >= self._limit:
            self._writable.clear()

    async def get(self) -> bytes:
        """All that is there, waiting for some; b"" at the end."""
        await self._readable.wait()
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._hold(-self._size)
        self._writable.set()
        if not self._ended:
            self._readable.clear()
        return data

    def end(self) -> None:
        """No more will come; what is there can still be read."""
        self._ended = True
        self._readable.set()
        self._writable.set()

    def discard(self) -> None:
        """No more will be read: forget everything, so that the writer never waits for nobody."""
        self._chunks.clear()
        self._hold(-self._size)
        self.end()

    def _hold(self, more: int) -> None:
        self._size += more
        if self._room is not None:
            self._room.take(more)
