"""The order in which waiting pods are looked at: the most important first, then as they came (`queuesort`)."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class UrgentFirst:
    """A line (`kube.workqueue.Line`) of keys by the priority they have when they join."""

    def __init__(self, priority_of: Callable[[str], int]) -> None:
        self._priority_of = priority_of
        self._heap: list[tuple[int, int, str]] = []
        self._arrivals = itertools.count()

    def append(self, key: str, /) -> None:
        """One more."""
        heapq.heappush(self._heap, (-self._priority_of(key), next(self._arrivals), key))

    def popleft(self) -> str:
        """Take the next; there is one."""
        return heapq.heappop(self._heap)[2]

    def __len__(self) -> int:
        return len(self._heap)
