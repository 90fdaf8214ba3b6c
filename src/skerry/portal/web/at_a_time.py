"""How many streams, terminals, transfers one person has at a time: each holds connections, memory, a turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from skerry.platform.identity.login.often import TooMany


class AtATime:
    """At most so many for each person."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    @contextmanager
    def one_more(self, user: str) -> Iterator[None]:
        """For as long as it is open. Raises TooMany."""
        if self._open[user] >= self._most:
            raise TooMany(f"{self._most} of these are under way already: close a page, or wait a little")
        self._open[user] += 1
        try:
            yield
        finally:
            self._open[user] -= 1
            if not self._open[user]:
                del self._open[user]
