"""Times as days, in UTC. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

_SECONDS_OF_A_DAY = 86_400


def day_of(second: int) -> date:
    """In which a second lies that begins at `second`."""
    return datetime.fromtimestamp(second, UTC).date()


def begin_of(day: date) -> int:
    """Its first second."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def by_day(after: int, until: int) -> Iterator[tuple[date, int, int]]:
    """A time in parts: each day with the beginning and the end of what of it is meant."""
    while after < until:
        day = day_of(after)
        end = min(until, begin_of(day) + _SECONDS_OF_A_DAY)
        yield day, after, end
        after = end


def moment(second: int) -> datetime:
    """As resources have it."""
    return datetime.fromtimestamp(second, UTC)


def month_of(day: date) -> str:
    """`2026-11`."""
    return f"{day:%Y-%m}"


def week_of(day: date) -> str:
    """`2026-w47`, as ISO 8601 counts; sorts by time."""
    year, week, _ = day.isocalendar()
    return f"{year}-w{week:02}"


def months_before(day: date, count: int) -> Iterator[str]:
    """The months before that of a day, the latest first."""
    for _ in range(count):
        day = day.replace(day=1) - timedelta(days=1)
        yield month_of(day)
