"""Durations as Go's `time.ParseDuration` reads them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from skerry.kube.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("+0", 0), ("1h30m", 5400), ("-1.5s", -1.5), (".5s", 0.5), ("1.s", 1), ("10ms", 0.01), ("2us3µs", 5e-6)],
)
def test_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "1", "s", "1d", "--1s", "1h ", "1h-1m", "1h30", "٣s", "99999999999h", "0s0"])
def test_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time: invalid duration"):
        parse_duration(text)


def test_a_long_text_that_is_none_is_refused_at_once() -> None:
    """Who is not known yet may send one, as `?timeout=`: quadratic time would hold up everybody for minutes."""
    with pytest.raises(ValueError, match="time: invalid duration"):
        parse_duration("1" * 10**6)
