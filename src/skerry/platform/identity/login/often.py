"""How often something may happen in a while, by key. In memory, bounded; by steady time."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta

from skerry.kube.clock import Clock

_REMEMBERED = 10_000


class TooMany(Exception):
    """Not now; the text, for the person, says when."""


class Often:
    """So many in a window, for each key."""

    def __init__(self, clock: Clock, most: int, window: timedelta) -> None:
        self._clock, self._most, self._window = clock, most, window
        self._times: OrderedDict[str, deque[datetime]] = OrderedDict()

    def one_more(self, key: str) -> bool:
        """Count it; False when it is one too many, which is not counted."""
        now = self._clock.steady()
        times = self._times.setdefault(key, deque())
        self._times.move_to_end(key)
        if len(self._times) > _REMEMBERED:
            self._times.popitem(last=False)
        while times and now - times[0] > self._window:
            times.popleft()
        if len(times) >= self._most:
            return False
        times.append(now)
        return True

    def take_back(self, key: str) -> None:
        """The last one does not count."""
        if times := self._times.get(key):
            times.pop()
