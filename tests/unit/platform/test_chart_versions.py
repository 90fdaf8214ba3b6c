"""Versions of charts and their ranges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.platform.base.chart_versions import BadRange, best_version, matching_versions, newest_first

THERE = ["0.0.3", "0.2.9", "0.3.0", "1.0.0", "1.2.0", "1.2.7", "1.10.0", "2.0.0-rc.1", "2.0.0", "2.1.0-beta", "v3.0.1"]


def test_order() -> None:
    mixed = ["1.0.0-alpha", "1.0.0", "1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0-alpha.beta", "nonsense", "0.9", "1.0.0"]
    assert newest_first(mixed) == [
        "1.0.0", "1.0.0-alpha.beta", "1.0.0-alpha.10", "1.0.0-alpha.2", "1.0.0-alpha", "0.9",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "best"),
    [
        ("", "v3.0.1"),
        ("*", "v3.0.1"),
        ("1", "1.10.0"),
        ("1.2", "1.2.7"),
        ("1.2.x", "1.2.7"),
        ("1.2.0", "1.2.0"),
        ("=1.2.0", "1.2.0"),
        ("~1.2.0", "1.2.7"),
        ("~1", "1.10.0"),
        ("^1.2.0", "1.10.0"),
        ("^0.2.3", "0.2.9"),
        ("^0.0.3", "0.0.3"),
        ("^0", "0.3.0"),
        (">=1 <2", "1.10.0"),
        (">=1, <1.10.0", "1.2.7"),
        ("> 1.2", "v3.0.1"),
        (">1.2 <2", "1.10.0"),
        ("<=1.2", "1.2.7"),
        ("<= 1.2.0", "1.2.0"),
        ("1.0 - 1.2.5", "1.2.0"),
        ("0.3.x || 1.0.0", "1.0.0"),
        ("!=3.0.1", "2.0.0"),
        ("!=3, !=2.x", "1.10.0"),
        ("2.0.0-rc.1", "2.0.0-rc.1"),
        (">=2.1.0-0 <3", "2.1.0-beta"),
        ("9", None),
    ],
)
def test_the_best_of_a_range(wanted: str, best: str | None) -> None:
    assert best_version(wanted, THERE) == best


@pytest.mark.parametrize("wanted", ["latest", "1 ||", ">>1", "1.2.3.4", "^", "1" * 300])
def test_what_is_no_range_is_said(wanted: str) -> None:
    with pytest.raises(BadRange):
        matching_versions(wanted, THERE)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)), min_size=1))
def test_a_caret_stays_within_its_major(numbers: list[tuple[int, int, int]]) -> None:
    versions = [".".join(map(str, one)) for one in numbers]
    best = best_version("^1.2.3", versions)
    fitting = [one for one in numbers if (1, 2, 3) <= one < (2, 0, 0)]
    assert best == (".".join(map(str, max(fitting))) if fitting else None)
