"""Lists of completion indexes ("0,2-4") as a Job's spec and status may have them, in Kubernetes' words.

Source: `validateIndexesFormat` in Kubernetes' `pkg/apis/batch/validation`.
"""

from __future__ import annotations

from collections.abc import Iterator

Interval = tuple[int, int]


class BadIndexes(ValueError):
    """A list that cannot be read; the message says why."""


def intervals_of(text: str, completions: int) -> list[Interval]:
    """The intervals of a list, [] of an empty one. Raises BadIndexes."""
    found: list[Interval] = []
    for part in text.split(",") if text else ():
        first, last = _interval(part, completions)
        if found and found[-1][1] >= first:
            raise BadIndexes(f"non-increasing order, previous: {found[-1][1]}, current: {first}")
        found.append((first, last))
    return found


def count_of(text: str, completions: int) -> int:
    """How many indexes a list has. Raises BadIndexes."""
    return sum(last - first + 1 for first, last in intervals_of(text, completions))


def first_common(one: list[Interval], other: list[Interval]) -> int | None:
    """The first index that is in both lists."""
    first = second = 0
    while first < len(one) and second < len(other):
        (start, end), (other_start, other_end) = one[first], other[second]
        if start <= other_end and other_start <= end:
            return max(start, other_start)
        first, second = (first + 1, second) if end < other_end else (first, second + 1)
    return None


def _interval(part: str, completions: int) -> Interval:
    limits = part.split("-")
    if len(limits) > 2:
        raise BadIndexes(
            f'the fragment "{part}" violates the requirement that an index interval can have at most two parts'
            " separated by '-'"
        )
    numbers = list(_numbers(limits, completions))
    if len(numbers) > 1 and numbers[0] >= numbers[1]:
        raise BadIndexes(f"non-increasing order, previous: {numbers[0]}, current: {numbers[1]}")
    return numbers[0], numbers[-1]


def _numbers(limits: list[str], completions: int) -> Iterator[int]:
    for text in limits:
        if not text.isascii() or not text.isdigit():
            raise BadIndexes(f'cannot convert string to integer for index: "{text}"')
        if int(text) >= completions:
            raise BadIndexes(f'too large index: "{text}"')
        yield int(text)
