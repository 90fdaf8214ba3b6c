"""Time as something that is handed in: wall clock in the program, a settable one in tests. RFC 3339 for the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from math import floor
from typing import Protocol


class Clock(Protocol):
    """What gives the wall-clock time."""

    def now(self) -> datetime:
        """The current time, in UTC, aware."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current time, in UTC, aware."""
        return datetime.now(UTC)


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
