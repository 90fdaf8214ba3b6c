"""A bounded buffer of bytes between the task that reads a WebSocket and the one that feeds a pod.

It lets the reader see resizes and closes while a pod is slow, and holds the peer back when `limit` bytes wait.
"""

from __future__ import annotations

import asyncio


class Inbox:
    """One writer, one reader."""

    def __init__(self, limit: int = 256 << 10) -> None:
        """`limit`: bytes that may wait before `put` does."""
        self._limit = limit
        self._chunks: list[bytes] = []
        self._size = 0
        self._ended = False
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    async def put(self, data: bytes) -> None:
        """Add; waits while the buffer is full. What comes after the end is dropped."""
        await self._writable.wait()
        if self._ended or not data:
            return
        self._chunks.append(data)
        self._size += len(data)
        self._readable.set()
        if self._size >= self._limit:
            self._writable.clear()

    async def get(self) -> bytes:
        """All that is there, waiting for some; b"" at the end."""
        await self._readable.wait()
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
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
        self._size = 0
        self.end()
