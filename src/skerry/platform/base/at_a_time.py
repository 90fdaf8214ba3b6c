"""How many streams, terminals, transfers one person has at a time: each holds connections, memory, a turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class AtATime:
    """At most so many for each person. `refusal`: the error for who wants one more, of the person and the limit."""

    def __init__(self, most: int, refusal: Callable[[str, int], Exception]) -> None:
        self._most, self._refusal = most, refusal
        self._open: Counter[str] = Counter()

    @contextmanager
    def one_more(self, user: str) -> Iterator[None]:
        """For as long as it is open. Raises what `refusal` makes."""
        if self._open[user] >= self._most:
            raise self._refusal(user, self._most)
        self._open[user] += 1
        try:
            yield
        finally:
            self._open[user] -= 1
            if not self._open[user]:
                del self._open[user]
