"""Sets of completion indexes: what they hold, how they are written, what is missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.controllers.job.indexes import Indexes
from skerry.engine.schema.kinds.batch.index_lists import BadIndexes, count_of, first_common, intervals_of

SETS = st.frozensets(st.integers(0, 40))


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([], ""), ([3], "3"), ([1, 2], "1,2"), ([0, 2, 3, 4], "0,2-4"), ([5, 6, 7, 9, 10], "5-7,9,10")],
)
def test_as_text(numbers: list[int], text: str) -> None:
    assert str(Indexes.of(numbers)) == text


def test_what_lies_beyond_the_completions_is_dropped() -> None:
    assert str(Indexes.parse("0,2-9,12", 5)) == "0,2-4"
    assert str(Indexes.parse("x,1,3-y,2", 5)) == "1,2", "what cannot be read is left out"


@given(SETS)
def test_text_says_it_all(numbers: frozenset[int]) -> None:
    indexes = Indexes.of(numbers)
    assert Indexes.parse(str(indexes), 100) == indexes
    assert len(indexes) == len(numbers) == count_of(str(indexes), 100)
    assert {number for number in range(50) if number in indexes} == numbers


@given(SETS, SETS)
def test_sets_are_sets(one: frozenset[int], other: frozenset[int]) -> None:
    first, second = Indexes.of(one), Indexes.of(other)
    assert first.union(second) == Indexes.of(one | other)
    assert first.overlap(second) == len(one & other)
    common = first_common(list(first.intervals), list(second.intervals))
    assert common == min(one & other, default=None)


@given(SETS, st.integers(0, 50), st.integers(1, 45))
def test_what_is_missing(numbers: frozenset[int], count: int, completions: int) -> None:
    free = [number for number in range(completions) if number not in numbers]
    assert Indexes.of(numbers).missing(count, completions) == free[:count]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1-2-3", 'the fragment "1-2-3" violates the requirement that an index interval can have at most two parts'),
        ("a", 'cannot convert string to integer for index: "a"'),
        ("7", 'too large index: "7"'),
        ("3-2", "non-increasing order, previous: 3, current: 2"),
        ("2,1", "non-increasing order, previous: 2, current: 1"),
    ],
)
def test_lists_that_users_may_not_write(text: str, why: str) -> None:
    with pytest.raises(BadIndexes, match=why.replace("'", ".")[:60]):
        intervals_of(text, 5)
