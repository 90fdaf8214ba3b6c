"""Answers as bytes, by the bytes of the question: most questions are never looked into.

A question's first two bytes are its id; all others together say what is asked and what the client understands, so they
are the key. An answer may have several forms (orders of its records), handed out in turn. Each belongs to a topic (a
Service) that a change ends, and has a time at which it ends by itself. Bounded by bytes: when full, it starts anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import cycle
from math import inf
from typing import NamedTuple

GENERAL = ""
"""The topic of answers that every change ends: names of namespaces, names of addresses."""
FOREIGN = "."
"""The topic of other resolvers' answers, which end by time."""

_MOST_BYTES = 4 * 1024 * 1024
_OVERHEAD = 300  # bytes that one entry costs besides its content, about


class _Kept(NamedTuple):
    until: float
    next_form: Callable[[], bytes]


class AnswerCache:
    """Answers to questions that came the same way (datagrams, or streams)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[bytes, _Kept] = {}
        self._topics: defaultdict[str, list[bytes]] = defaultdict(list)
        self._bytes = 0

    def get(self, question: bytes) -> bytes | None:
        """The answer to these very bytes, with their id; None if it is not known (any more)."""
        kept = self._kept.get(question[2:])
        if kept is None or (kept.until is not inf and kept.until <= self._clock()):
            return None
        return question[:2] + kept.next_form()

    def put(self, question: bytes, forms: Sequence[bytes], topic: str, seconds: float = inf) -> None:
        """Keep an answer until the topic changes, or `seconds` have gone by."""
        size = len(question) + sum(map(len, forms)) + _OVERHEAD
        if self._bytes + size > _MOST_BYTES:
            self.clear()
        self._bytes += size
        until = inf if seconds == inf else self._clock() + seconds
        self._kept[question[2:]] = _Kept(until, cycle([form[2:] for form in forms]).__next__)
        self._topics[topic].append(question[2:])

    def end(self, topic: str) -> None:
        """Forget what belongs to the topic."""
        for key in self._topics.pop(topic, ()):
            self._kept.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._topics.clear()
        self._bytes = 0
