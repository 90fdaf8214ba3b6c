"""Schedules: the dialect and words of robfig/cron, times against another implementation, clocks that are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.kube.cron import BadSchedule, parse_schedule

NOON = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)


def starts(schedule: str, zone: str | None, since: str, count: int) -> list[str]:
    """The next starts after a time, in UTC, to the minute."""
    read, moment = parse_schedule(schedule, zone), datetime.fromisoformat(since).replace(tzinfo=UTC)
    found = []
    for _ in range(count):
        following = read.after(moment)
        assert following is not None
        found.append(following.strftime("%m-%d %H:%M"))
        moment = following
    return found


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("*/15 * * * *", ["05-01 12:15", "05-01 12:30"]),
        ("0 3 * * MON-FRI", ["05-04 03:00", "05-05 03:00"]),
        ("0 0 ? jan,JUL *", ["07-01 00:00", "07-02 00:00"]),
        ("50/5 12 * * *", ["05-01 12:50", "05-01 12:55"]),
        ("0 0 13 * 5", ["05-08 00:00", "05-13 00:00"]),  # either day
        ("0 0 */2 * 5", ["05-03 00:00", "05-05 00:00"]),  # a step is not "any": either day
        ("@hourly", ["05-01 13:00", "05-01 14:00"]),
        ("@weekly", ["05-03 00:00", "05-10 00:00"]),
        ("@every 90m", ["05-01 13:30", "05-01 15:00"]),
        ("0 0 29 2 *", ["02-29 00:00"]),
    ],
)
def test_when(schedule: str, expected: list[str]) -> None:
    assert starts(schedule, None, "2026-05-01T12:00", len(expected)) == expected


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("", "empty spec string"),
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("@often", "unrecognized descriptor: @often"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("* * * * 7", "end of range (7) above maximum (6): 7"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("*/2/3 * * * *", "too many slashes: */2/3"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'),
    ],
)
def test_what_cannot_be_read(schedule: str, message: str) -> None:
    with pytest.raises(BadSchedule) as refused:
        parse_schedule(schedule)
    assert str(refused.value) == message


def test_zones() -> None:
    assert starts("0 9 * * *", "Asia/Tokyo", "2026-05-01T12:00", 1) == ["05-02 00:00"]
    with pytest.raises(ValueError, match="unknown time zone Nowhere/Else"):
        parse_schedule("0 9 * * *", "Nowhere/Else")


def test_an_hour_that_is_skipped_has_no_start() -> None:
    spring = starts("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00", 3)
    assert spring == ["03-28 01:30", "03-30 00:30", "03-31 00:30"], "02:30 does not exist on 29 March"


def test_an_hour_that_comes_twice_has_two() -> None:
    autumn = starts("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", 3)
    assert autumn == ["10-25 00:30", "10-25 01:30", "10-26 01:30"]
    assert starts("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:59", 5) == [
        "10-25 00:00", "10-25 00:30", "10-25 01:00", "10-25 01:30", "10-25 02:00",
    ]  # fmt: skip


def test_a_date_that_never_comes() -> None:
    assert parse_schedule("0 0 31 2 *").after(NOON) is None


def _field(least: int, most: int) -> st.SearchStrategy[str]:
    numbers = st.lists(st.integers(least, most), min_size=1, max_size=3, unique=True)
    return st.one_of(st.just("*"), numbers.map(lambda chosen: ",".join(map(str, sorted(chosen)))))


FIELDS = st.tuples(_field(0, 59), _field(0, 23), _field(1, 28), _field(1, 12), _field(0, 6))


@settings(max_examples=150, deadline=None)
@given(FIELDS, st.integers(0, 3 * 365 * 86400))
def test_as_another_implementation_has_it(fields: tuple[str, ...], offset: int) -> None:
    """cronsim follows Debian's cron, which agrees where no clock is changed and no field has a step."""
    moment = NOON + timedelta(seconds=offset)
    assert parse_schedule(" ".join(fields)).after(moment) == next(CronSim(" ".join(fields), moment))


@settings(max_examples=100, deadline=None)
@given(FIELDS, st.integers(0, 2 * 365 * 1440), st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "UTC"]))
def test_starts_lie_in_the_future_and_nothing_lies_between(fields: tuple[str, ...], offset: int, zone: str) -> None:
    read, moment = parse_schedule(" ".join(fields), zone), NOON + timedelta(minutes=offset)
    following = read.after(moment)
    assert following is not None
    assert following > moment
    assert read.after(following - timedelta(seconds=1)) == following
    halfway = moment + (following - moment) / 2
    assert read.after(halfway) == following
