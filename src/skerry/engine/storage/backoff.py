"""When something that failed is tried again: later each time in a row, whatever else happens in between.

The work queue has a back-off too, but every change of an object passes it by. Here a change must wait: what a driver
refused is not asked again a hundred times a second because somebody else answers to the refusal.
"""

from __future__ import annotations

import asyncio

FIRST, LONGEST = 0.5, 60.0
"""Seconds; doubling."""


class Backoff:
    """By key. Forgotten keys begin anew."""

    def __init__(self) -> None:
        self._failures: dict[str, tuple[int, float]] = {}

    def failed(self, key: str) -> float:
        """Note a failure. Returns the seconds until the next attempt."""
        count, _ = self._failures.get(key, (0, 0.0))
        delay: float = min(FIRST * 2 ** min(count, 30), LONGEST)
        self._failures[key] = (count + 1, asyncio.get_running_loop().time() + delay)
        return delay

    def left(self, key: str) -> float | None:
        """Seconds until the next attempt, None when it may be made."""
        _, due = self._failures.get(key, (0, 0.0))
        left = due - asyncio.get_running_loop().time()
        return left if left > 0 else None

    def forget(self, key: str) -> None:
        """It went well, or there is nothing to do any more."""
        self._failures.pop(key, None)
