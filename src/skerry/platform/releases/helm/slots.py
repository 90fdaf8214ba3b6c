"""How many Helms work at once. One that has rendered and only waits for pods leaves its place to others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_WORK, IN_ALL = 3, 24
"""A Helm at work takes half a processor; one that waits takes 60 MB."""


class Slot:
    """A place among those at work."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._left = False

    def leave(self) -> None:
        """Work is done; harmless twice."""
        if not self._left:
            self._left = True
            self._places.release()


class Slots:
    """Of one platform."""

    def __init__(self) -> None:
        self._at_work = asyncio.Semaphore(AT_WORK)
        self._in_all = asyncio.Semaphore(IN_ALL)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Slot]:
        """Wait for a place, and hold it."""
        async with self._in_all:
            await self._at_work.acquire()
            slot = Slot(self._at_work)
            try:
                yield slot
            finally:
                slot.leave()
