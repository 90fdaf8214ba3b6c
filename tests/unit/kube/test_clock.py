"""The two kinds of time, and what a clock that somebody sets does to them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from skerry.kube.clock import ClockWatch, SystemClock, in_steady, time_left
from tests.support.clock import SetClock

HOUR = 3600.0


def test_the_machines_clocks_both_go_forward() -> None:
    clock = SystemClock()
    now, steady = clock.now(), clock.steady()
    assert now.utcoffset() == timedelta()
    assert clock.steady() >= steady
    assert clock.now() - steady > timedelta(days=365), "nobody takes one for the other"


@pytest.mark.parametrize("hours", [-7, 0, 7])
def test_a_moment_taken_over_into_steady_time_stays_where_it_is(hours: float) -> None:
    clock = SetClock()
    clock.advance(60)
    moment = in_steady(clock, clock.now() - timedelta(seconds=40))
    clock.jump(hours * HOUR)
    clock.advance(5)
    assert clock.steady() - moment == timedelta(seconds=45)


def test_a_moment_that_lies_ahead_counts_as_now() -> None:
    clock = SetClock()
    noted = clock.now()
    clock.jump(-HOUR)
    assert in_steady(clock, noted) == clock.steady()


def test_what_is_left_of_a_while() -> None:
    now = SetClock().now()
    begun = [now - timedelta(seconds=ago) for ago in (0, 4, 10, 11)]
    assert [time_left(10, since, now) for since in begun] == [10, 6, 0, 0]
    assert time_left(10, now + timedelta(hours=1), now) == 0, "the clock was set back: not an hour more"


def test_a_clock_that_is_set_is_noticed_once_and_one_that_is_corrected_never() -> None:
    clock = SetClock()
    watch, seen = ClockWatch(clock), []
    for seconds in (0, HOUR, 0, 0.5, -2 * HOUR):
        clock.jump(seconds)
        clock.advance(10)
        seen.append(watch.look().total_seconds())
    assert seen == [0, HOUR, 0, 0, -2 * HOUR]
