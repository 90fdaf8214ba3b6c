"""Schedules as Kubernetes' CronJobs have them: `*/5 * * * *`, `@daily`, `@every 1h30m`. Pure.

Source of dialect and messages: github.com/robfig/cron v3, `ParseStandard`, which Kubernetes uses. Times are those whose
local minute, hour and date match: an hour that the clock skips has none, an hour that it repeats has them twice. A day
matches by either of its two fields unless one of them is `*`. Why no library: docs/decisions/0024-jobs.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from skerry.kube.durations import parse_duration
from skerry.kube.records import record

_YEARS = 5
"""How far ahead a match is looked for: 29 February comes every four years, or after eight."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip


class BadSchedule(ValueError):
    """A schedule that cannot be read; the message is robfig/cron's."""


class Field(NamedTuple):
    """One of the five: its bounds, and names that stand for numbers from the lower bound on."""

    least: int
    most: int
    names: tuple[str, ...] = ()


_FIELDS = (Field(0, 59), Field(0, 23), Field(1, 31), Field(1, 12, _MONTHS), Field(0, 6, _DAYS))


@record
class Schedule:
    """When something starts; with `every` (seconds) at that distance, otherwise where all fields match."""

    minutes: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    any_day: bool = False
    """Whether one of the two fields for days is `*`, so that both must match."""
    every: int = 0
    zone: tzinfo = UTC

    def after(self, moment: datetime) -> datetime | None:
        """The first start after a moment, in UTC; None when there is none within five years."""
        if self.every:
            return moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=self.every)
        today = moment.astimezone(self.zone).date()
        for number in range(366 * _YEARS):
            day = today + timedelta(days=number)
            if self._is_day(day):
                found = next((start for start in self._starts(day, moment) if start > moment), None)
                if found is not None:
                    return found
        return None

    def _is_day(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (by_date and by_weekday) if self.any_day else (by_date or by_weekday)

    def _starts(self, day: date, since: datetime) -> Iterator[datetime]:
        """The starts of a day in order; hours that are over by `since` are left out."""
        for hour in self.hours:
            midnight = datetime(day.year, day.month, day.day, hour, tzinfo=self.zone)
            for fold in (0, 1):
                start = midnight.replace(fold=fold)
                if start.astimezone(UTC) > since - timedelta(hours=2):
                    yield from self._in_hour(start)

    def _in_hour(self, start: datetime) -> Iterator[datetime]:
        for minute in self.minutes:
            local = start.replace(minute=minute)
            moment = local.astimezone(UTC)
            back = moment.astimezone(self.zone)
            if back.replace(tzinfo=None) == local.replace(tzinfo=None, fold=back.fold) and back.fold == local.fold:
                yield moment


def parse_schedule(text: str, zone: str | None = None) -> Schedule:
    """Read a schedule; `zone` is an IANA time zone, None for UTC. Raises BadSchedule, and ValueError for a zone that is
    not known."""
    place = time_zone(zone) if zone else UTC
    if not text:
        raise BadSchedule("empty spec string")
    if text.startswith("@every "):
        return Schedule(every=_duration(text), zone=place)
    if text.startswith("@") and text not in _DESCRIPTORS:
        raise BadSchedule(f"unrecognized descriptor: {text}")
    fields = _DESCRIPTORS.get(text, text).split()
    if len(fields) != len(_FIELDS):
        raise BadSchedule(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    read = [_field(given, field) for given, field in zip(fields, _FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = (frozenset(numbers) for numbers, _ in read)
    any_day = read[2][1] or read[4][1]
    return Schedule(tuple(sorted(minutes)), tuple(sorted(hours)), days, months, weekdays, any_day, zone=place)


def time_zone(name: str) -> tzinfo:
    """A time zone by its IANA name. Raises ValueError in Go's words."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"unknown time zone {name}") from None


def _field(text: str, field: Field) -> tuple[set[int], bool]:
    """The numbers a field means, and whether it says "any"."""
    numbers: set[int] = set()
    is_any = False
    for part in text.split(","):
        if part:
            chosen, star = _range(part, field)
            numbers.update(chosen)
            is_any = is_any or star
    return numbers, is_any


def _range(text: str, field: Field) -> tuple[range, bool]:
    """number | number "-" number [ "/" number ] | number "/" number | "*" [ "/" number ]."""
    span, *steps = text.split("/")
    low, *high = span.split("-")
    if low in ("*", "?"):
        first, last, star = field.least, field.most, True
    else:
        first, star = _number(low, field), False
        if len(high) > 1:
            raise BadSchedule(f"too many hyphens: {text}")
        last = _number(high[0], field) if high else first
    step = 1
    if len(steps) > 1:
        raise BadSchedule(f"too many slashes: {text}")
    if steps:
        step = _integer(steps[0])
        last = field.most if not high and not star else last
        star = star and step <= 1
    _check_range(text, field, first, last, step)
    return range(first, last + 1, step), star


def _check_range(text: str, field: Field, first: int, last: int, step: int) -> None:
    if first < field.least:
        raise BadSchedule(f"beginning of range ({first}) below minimum ({field.least}): {text}")
    if last > field.most:
        raise BadSchedule(f"end of range ({last}) above maximum ({field.most}): {text}")
    if first > last:
        raise BadSchedule(f"beginning of range ({first}) beyond end of range ({last}): {text}")
    if step == 0:
        raise BadSchedule(f"step of range should be a positive number: {text}")


def _number(text: str, field: Field) -> int:
    return field.names.index(text.lower()) + field.least if text.lower() in field.names else _integer(text)


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise BadSchedule(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    if abs(int(text[:24])) >= 2**63:
        raise BadSchedule(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": value out of range')
    if int(text) < 0:
        raise BadSchedule(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)


def _duration(text: str) -> int:
    """Seconds, at least one, of `@every 1h30m`."""
    try:
        return max(1, int(parse_duration(text.removeprefix("@every ")).total_seconds()))
    except ValueError as error:
        raise BadSchedule(f"failed to parse duration {text}: {error}") from None
