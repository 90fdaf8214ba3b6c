"""How long to wait before a server is asked again: short at first, as long as it asks for, never too long. Pure."""

from __future__ import annotations

_FIRST, _FACTOR, _LONGEST = 0.1, 1.6, 10.0  # seconds
_MOST_ASKED = 3600.0  # seconds that anybody may ask us to wait


class Looks:
    """Counts them for each key; a restart begins anew."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def next(self, key: str, asked: float = 0.0) -> float:
        """Seconds until the next look. `asked`: what the other side asks to wait."""
        count = self._counts[key] = self._counts.get(key, 0) + 1
        return max(min(_FIRST * _FACTOR ** min(count - 1, 20), _LONGEST), min(asked, _MOST_ASKED))

    def count(self, key: str) -> int:
        """How many there were since something changed."""
        return self._counts.get(key, 0)

    def forget(self, key: str) -> None:
        """Something changed, or there is nothing to look at any more."""
        self._counts.pop(key, None)
