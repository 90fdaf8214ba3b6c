"""The work queue of controllers: keys, each worked on by one worker at a time, with delays and back-off.

Source of the behaviour: client-go `util/workqueue`. Invariants: a key added while it is worked on is worked on again
afterwards; a key added many times before it is taken is taken once; one key wakes one worker.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

FIRST_BACKOFF, LONGEST_BACKOFF = 0.005, 60.0  # seconds; doubling per failure in a row
_AT_ONCE = 0.001  # seconds: uvloop has no timers shorter than this, and gives a handle without a time instead


class Line(Protocol):
    """Keys that wait, and which of them is next: a deque, or something with an order of its own."""

    def append(self, key: str, /) -> None:
        """One more."""

    def popleft(self) -> str:
        """Take the next; there is one."""
        ...

    def __len__(self) -> int: ...


class WorkQueue:
    """Keys waiting for a worker."""

    def __init__(self, line: Line | None = None) -> None:
        """`line`: in which order keys are taken; as they come when it is not given."""
        self._ready: Line = deque() if line is None else line
        self._waiting: set[str] = set()
        self._active: set[str] = set()
        self._again: set[str] = set()
        self._failures: dict[str, int] = {}
        self._timers: dict[str, tuple[float, asyncio.Handle]] = {}  # uvloop's handles do not tell their time
        self._tokens = asyncio.Semaphore(0)  # as many as there are ready keys
        self._closed = False

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, key: str) -> None:
        """Have `key` worked on as soon as a worker is free."""
        if key in self._active:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)
            self._tokens.release()

    def add_after(self, key: str, seconds: float) -> None:
        """Have `key` worked on in `seconds`; an earlier appointment of the same key stands."""
        if self._closed:
            return
        if seconds < _AT_ONCE:
            self.add(key)
            return
        loop = asyncio.get_running_loop()
        when = loop.time() + seconds
        due, timer = self._timers.get(key, (None, None))
        if due is not None and due <= when:
            return
        if timer is not None:
            timer.cancel()
        self._timers[key] = (when, loop.call_at(when, self._due, key))

    def add_rate_limited(self, key: str) -> None:
        """Have `key` worked on again after a failure, later each time in a row."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        self.add_after(key, min(FIRST_BACKOFF * 2 ** min(failures - 1, 30), LONGEST_BACKOFF))

    def failures(self, key: str) -> int:
        """How often in a row work on `key` failed."""
        return self._failures.get(key, 0)

    def forget(self, key: str) -> None:
        """The work on `key` went well: the next failure starts with the shortest delay."""
        self._failures.pop(key, None)

    async def take(self) -> str:
        """The next key; the caller must say `done` when finished with it."""
        await self._tokens.acquire()
        key = self._ready.popleft()
        self._waiting.discard(key)
        self._active.add(key)
        return key

    def done(self, key: str) -> None:
        """The worker is finished with `key`."""
        self._active.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def close(self) -> None:
        """Cancel what is appointed; make no more appointments."""
        self._closed = True
        for _, timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _due(self, key: str) -> None:
        self._timers.pop(key, None)
        self.add(key)
