"""How much is under way for one project: what is beyond it waits without holding a worker, so that others go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

AT_ONCE = 8


class Crowds:
    """By project."""

    def __init__(self, call: Callable[[str], None]) -> None:
        """`call`: looks at a release again, by its key."""
        self._call = call
        self._inside: Counter[str] = Counter()
        self._waiting: dict[str, dict[str, None]] = {}
        self._called: dict[str, str] = {}
        """Keys, and their crowd: whoever is called and does not come calls the next."""

    def enter(self, crowd: str, key: str) -> bool:
        """Whether there is room; else `key` is called when there is."""
        self._called.pop(key, None)
        if self._inside[crowd] >= AT_ONCE:
            self._waiting.setdefault(crowd, {})[key] = None
            return False
        self._waiting.get(crowd, {}).pop(key, None)
        self._inside[crowd] += 1
        return True

    def leave(self, crowd: str) -> None:
        """One is done: the next may come."""
        self._inside[crowd] -= 1
        if not self._inside[crowd]:
            del self._inside[crowd]
        self._next(crowd)

    def looked_at(self, key: str) -> None:
        """A release was looked at. When it was its turn and it wanted nothing any more, it is the next one's."""
        crowd = self._called.pop(key, None)
        if crowd is not None:
            self._next(crowd)

    def _next(self, crowd: str) -> None:
        waiting = self._waiting.get(crowd, {})
        if waiting:
            key = next(iter(waiting))
            del waiting[key]
            self._called[key] = crowd
            self._call(key)
        if not waiting:
            self._waiting.pop(crowd, None)
