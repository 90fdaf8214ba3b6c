"""Time as something that is handed in: the machine's in the program, a settable one in tests. RFC 3339 for the wire.

There are two kinds. The wall clock tells people and other programs when something was; somebody may set it, by hours,
in either direction. Steady time cannot be set and means nothing outside of the process: delays and deadlines that are
kept in memory are counted in it, so that a clock that is set neither ends nor prolongs them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import floor
from time import monotonic
from typing import Protocol

_STEADY_BEGAN = datetime(1970, 1, 1, tzinfo=UTC)
"""Far from any time of today, so that nobody takes steady time for the wall clock's."""

_SET = timedelta(seconds=5)
"""A clock that differs by less was not set, but corrected."""


class WallClock(Protocol):
    """What gives the time of day."""

    def now(self) -> datetime:
        """The current time, in UTC, aware."""
        ...


class Clock(WallClock, Protocol):
    """What gives both kinds of time."""

    def steady(self) -> datetime:
        """Goes on with time, whoever sets the clock. To be compared with steady times of the same clock only."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current time, in UTC, aware."""
        return datetime.now(UTC)

    def steady(self) -> datetime:
        """By the kernel's monotonic clock."""
        return _STEADY_BEGAN + timedelta(seconds=monotonic())


def in_steady(clock: Clock, past: datetime) -> datetime:
    """A moment that the wall clock gave, in steady time. One that lies ahead was noted before the clock was set back:
    it counts as now."""
    return clock.steady() - max(clock.now() - past, timedelta())


class ClockWatch:
    """Notices that the wall clock was set."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._apart = self._difference()

    def look(self) -> timedelta:
        """How far it was set since the last look; nothing for the corrections that time servers make all the time."""
        before, self._apart = self._apart, self._difference()
        moved = self._apart - before
        return moved if abs(moved) >= _SET else timedelta()

    def _difference(self) -> timedelta:
        return self._clock.now() - self._clock.steady()


def time_left(seconds: float, since: datetime, now: datetime) -> float:
    """What is left at `now` of so many seconds that began at `since`, by the wall clock; 0 when they are over. A
    beginning that lies ahead was noted before the clock was set back: nobody waits for that time to come again."""
    return max(0.0, seconds - (now - since).total_seconds()) if since <= now + _SET else 0.0


def rfc3339(moment: datetime) -> str:
    """`2026-11-21T10:00:00Z`: Kubernetes' `metav1.Time`, whole seconds."""
    return _whole_second(floor(moment.timestamp()))


@lru_cache(8)  # every write needs one or two, thousands a second
def _whole_second(number: int) -> str:
    return f"{datetime.fromtimestamp(number, UTC).isoformat()[:19]}Z"


def rfc3339_micro(moment: datetime) -> str:
    """`2026-11-21T10:00:00.000000Z`: Kubernetes' `metav1.MicroTime`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """A `metav1.Time` or `MicroTime` as an aware datetime. Raises ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time without zone: {text!r}")
    return moment.astimezone(UTC)
