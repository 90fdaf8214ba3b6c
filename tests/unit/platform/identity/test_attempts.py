"""How often a password may be tried."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.platform.identity.local.passwords import why_too_weak
from skerry.platform.identity.login.attempts import NONE, Attempts, Failures, one_more, seconds_left
from skerry.platform.identity.login.often import Often
from skerry.platform.identity.login.people import SignInRefused
from tests.support.clock import SetClock

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@given(st.integers(0, 200))
def test_delays_grow_up_to_an_hour(before: int) -> None:
    first, second = one_more(Failures(before), NOW), one_more(Failures(before + 1), NOW)
    assert seconds_left(first, NOW) <= seconds_left(second, NOW) <= 3601
    assert (seconds_left(first, NOW) > 0) == (before >= 4)


def test_a_clock_that_was_set_back_locks_nobody_out_for_longer() -> None:
    assert seconds_left(Failures(9, NOW + timedelta(days=300)), NOW) == 3601
    assert seconds_left(NONE, NOW) == 0


class _People:
    """A User without a status, and what is noted of it."""

    def __init__(self) -> None:
        self.noted: dict[str, Any] = {}

    def get(self, username: str) -> dict[str, Any] | None:
        return {"status": self.noted} if username == "anna" else None

    async def note(self, username: str, **status: Any) -> None:
        if username == "anna":
            self.noted = {key: value for key, value in status.items() if value is not None}


async def test_guesses_at_the_same_time_are_counted_before_they_are_answered() -> None:
    attempts = Attempts(_People(), SetClock())  # type: ignore[arg-type]
    for _ in range(5):
        attempts.begin("10.0.0.1", "anna")
    with pytest.raises(SignInRefused, match="too many wrong passwords for anna: wait 31 s, or ask an operator"):
        attempts.begin("10.0.0.2", "anna")


async def test_names_that_nobody_has_are_refused_alike_and_a_restart_forgets_nothing() -> None:
    people, clock = _People(), SetClock()
    attempts = Attempts(people, clock)  # type: ignore[arg-type]
    for name in ("anna", "nobody"):
        for _ in range(6):
            attempts.begin("10.0.0.1", name)
            await attempts.note(name)
            clock.advance(31)
        with pytest.raises(SignInRefused, match="wait 30 s"):
            attempts.begin("10.0.0.1", name)
        clock.advance(3600)
    again = Attempts(people, clock)  # type: ignore[arg-type]
    again.begin("10.0.0.1", "anna")
    with pytest.raises(SignInRefused, match=r"wait [23] minutes"):
        again.begin("10.0.0.1", "anna")
    again.right("10.0.0.1", "anna")


async def test_what_nobody_could_tell_does_not_count() -> None:
    attempts = Attempts(_People(), SetClock())  # type: ignore[arg-type]
    for _ in range(50):
        attempts.begin("10.0.0.1", "anna")
        await attempts.note("anna")
        await attempts.untold("10.0.0.1", "anna")


async def test_one_address_tries_so_many_names() -> None:
    clock = SetClock()
    attempts = Attempts(_People(), clock)  # type: ignore[arg-type]
    for number in range(30):
        attempts.begin("10.0.0.1", f"user{number}")
    with pytest.raises(SignInRefused, match="too many attempts from your address: wait five minutes"):
        attempts.begin("10.0.0.1", "anna")
    attempts.begin("10.0.0.2", "anna")
    clock.advance(301)
    attempts.begin("10.0.0.1", "anna")


def test_what_happens_too_often_is_bounded_in_memory() -> None:
    often = Often(SetClock(), 1, timedelta(minutes=1))
    assert [often.one_more("a"), often.one_more("a"), often.one_more("b")] == [True, False, True]
    for number in range(10_000):
        often.one_more(str(number))
    assert often.one_more("a")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "too short: 12 characters"),
        ("x" * 2000, "too long"),
        ("annaberg1234", "contains the username"),
        ("aaaaaaaaaaaaaaaa", "repeats a few characters"),
        ("correct horse battery", ""),
        ("pässwörter sind lang", ""),
    ],
)
def test_passwords_are_long_rather_than_odd(password: str, why: str) -> None:
    told = why_too_weak(password, "annaberg", 12)
    assert (why in told) if why else told == ""
