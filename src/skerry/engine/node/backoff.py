"""Growing delays for things that keep failing: 10 s, doubling to 300 s, forgotten after 10 quiet minutes.

Source of the behaviour: client-go `util/flowcontrol/backoff.go` as the kubelet uses it for crashing containers and for
images that cannot be pulled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST, LONGEST = timedelta(seconds=10), timedelta(seconds=300)


@dataclass(slots=True)
class _Entry:
    delay: timedelta
    updated: datetime


class BackOff:
    """Delays by key. Not for sharing between event loops."""

    def __init__(self, first: timedelta = FIRST, longest: timedelta = LONGEST) -> None:
        self._first = first
        self._longest = longest
        self._entries: dict[str, _Entry] = {}

    def until(self, key: str, failed_at: datetime) -> datetime | None:
        """When what failed at `failed_at` may be tried again; None for at once."""
        entry = self._entries.get(key)
        if entry is None or self._expired(entry, failed_at):
            return None
        return failed_at + entry.delay

    def delay(self, key: str) -> timedelta:
        """The delay in force for `key`."""
        entry = self._entries.get(key)
        return entry.delay if entry else timedelta()

    def next(self, key: str, now: datetime) -> None:
        """It is tried again now: should it fail, the delay is the first one, or twice the last."""
        entry = self._entries.get(key)
        if entry is None or self._expired(entry, now):
            self._entries[key] = _Entry(self._first, now)
        else:
            entry.delay = min(entry.delay * 2, self._longest)
            entry.updated = now

    def forget(self, prefix: str) -> None:
        """Drop every key that begins with `prefix`."""
        for key in [key for key in self._entries if key.startswith(prefix)]:
            del self._entries[key]

    def _expired(self, entry: _Entry, at: datetime) -> bool:
        return at - entry.updated > 2 * self._longest


def go_duration(delay: timedelta) -> str:
    """As Go prints it, the way users know it from messages: "10s", "1m20s", "5m0s"."""
    seconds = int(delay.total_seconds())
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    text = f"{hours}h" if hours else ""
    text += f"{minutes}m" if minutes or hours else ""
    return f"{text}{seconds % 60}s"
