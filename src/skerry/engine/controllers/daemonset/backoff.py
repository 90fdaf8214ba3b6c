"""How fast failed daemon pods are replaced: one second, then twice as long each time, fifteen minutes at most.

Source: the `failedPodsBackoff` of Kubernetes' DaemonSet controller (client-go `flowcontrol.Backoff`). A node agent that
rejects a pod would otherwise be asked again and again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

_FIRST, _LONGEST = 1.0, 900.0  # seconds


@dataclass(frozen=True, slots=True)
class _Entry:
    delay: float
    since: datetime


class FailedPods:
    """Remembers, by DaemonSet and node, when a failed pod was last deleted."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], _Entry] = {}

    def delay(self, key: str, node: str, now: datetime) -> float:
        """Seconds until a failed pod there may be deleted; 0 for at once."""
        entry = self._entries.get((key, node))
        return max(0.0, entry.delay - (now - entry.since).total_seconds()) if entry is not None else 0.0

    def deleted(self, key: str, node: str, now: datetime) -> None:
        """One was deleted: the next waits longer, unless this one was long ago."""
        entry = self._entries.get((key, node))
        recent = entry is not None and (now - entry.since).total_seconds() <= 2 * _LONGEST
        delay = min(entry.delay * 2, _LONGEST) if entry is not None and recent else _FIRST
        self._entries[(key, node)] = _Entry(delay, now)

    def forget(self, key: str) -> None:
        """The DaemonSet is gone."""
        self._entries = {known: entry for known, entry in self._entries.items() if known[0] != key}
