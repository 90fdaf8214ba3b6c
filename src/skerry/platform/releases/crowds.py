"""How much is under way for one project: what is beyond it waits without holding a worker, so that others go on."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

AT_ONCE = 8


class Crowds:
    """By project."""

    def __init__(self, call: Callable[[str], None]) -> None:
        """`call`: looks at a release again, by its key."""
        self._call = call
        self._inside: Counter[str] = Counter()
        self._waiting: dict[str, deque[str]] = {}

    def enter(self, crowd: str, key: str) -> bool:
        """Whether there is room; else `key` is called when there is."""
        if self._inside[crowd] >= AT_ONCE:
            self._waiting.setdefault(crowd, deque()).append(key)
            return False
        self._inside[crowd] += 1
        return True

    def leave(self, crowd: str) -> None:
        """One is done: the next may come."""
        self._inside[crowd] -= 1
        if not self._inside[crowd]:
            del self._inside[crowd]
        waiting = self._waiting.get(crowd)
        if waiting:
            self._call(waiting.popleft())
        if not waiting:
            self._waiting.pop(crowd, None)
