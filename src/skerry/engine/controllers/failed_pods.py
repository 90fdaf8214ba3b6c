"""How fast pods that failed are replaced: one second, then twice as long each time, up to a limit.

Source: the `failedPodsBackoff` of Kubernetes' DaemonSet controller (client-go `flowcontrol.Backoff`). A node agent that
rejects a pod would otherwise be asked again and again, as fast as the machine can.
"""

from __future__ import annotations

from datetime import datetime

from skerry.kube.records import record

_FIRST = 1.0  # seconds


@record
class _Entry:
    delay: float
    since: datetime


class FailedPods:
    """Remembers, by owner and place (a node, an ordinal), when a failed pod was last deleted."""

    def __init__(self, longest: float) -> None:
        """`longest`: the limit, in seconds."""
        self._longest = longest
        self._entries: dict[tuple[str, str], _Entry] = {}

    def delay(self, key: str, place: str, now: datetime) -> float:
        """`now` is steady time. Seconds until a failed pod there may be deleted; 0 for at once."""
        entry = self._entries.get((key, place))
        return max(0.0, entry.delay - (now - entry.since).total_seconds()) if entry is not None else 0.0

    def deleted(self, key: str, place: str, now: datetime) -> None:
        """One was deleted: the next waits longer, unless this one was long ago."""
        entry = self._entries.get((key, place))
        recent = entry is not None and (now - entry.since).total_seconds() <= 2 * self._longest
        delay = min(entry.delay * 2, self._longest) if entry is not None and recent else _FIRST
        self._entries[(key, place)] = _Entry(delay, now)

    def forget(self, key: str) -> None:
        """The owner is gone."""
        self._entries = {known: entry for known, entry in self._entries.items() if known[0] != key}
