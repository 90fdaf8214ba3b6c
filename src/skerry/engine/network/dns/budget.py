"""How many questions nobody has asked before one client may ask: each costs the event loop that everybody shares.

A bucket per client: full at first, filled again evenly. Questions with known answers are not counted. A client over its
budget gets no answer, which resolvers take for a lost datagram: they ask again, later.
"""

from __future__ import annotations

from collections.abc import Callable

_PER_SECOND, _MOST = 1000.0, 3000.0
_MOST_CLIENTS = 10_000


class ClientBudget:
    """Buckets by address."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}
        """What is left, and when that was so."""

    def take(self, client: str) -> bool:
        """Whether the client may ask one more."""
        now = self._clock()
        left, since = self._buckets.get(client, (_MOST, now))
        left = min(_MOST, left + (now - since) * _PER_SECOND)
        if client not in self._buckets and len(self._buckets) >= _MOST_CLIENTS:
            self._buckets.clear()
        self._buckets[client] = (left - 1 if left >= 1 else left), now
        return left >= 1
