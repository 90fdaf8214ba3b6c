"""Sets of completion indexes as intervals: "0,2-4" in `status.completedIndexes`. Pure.

Source: Kubernetes `pkg/controller/job/indexed_job_utils.go`. A Job may have a hundred thousand indexes, so they are
never listed one by one where intervals do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from skerry.kube.records import record

Interval = tuple[int, int]


@record
class Indexes:
    """Intervals (first, last) in order, with at least one number missing between any two."""

    intervals: tuple[Interval, ...] = ()

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Indexes:
        """The set of these numbers."""
        return cls(tuple(_joined((number, number) for number in sorted(set(numbers)))))

    @classmethod
    def parse(cls, text: str, completions: int) -> Indexes:
        """What a status says, without the indexes that a smaller `completions` has made meaningless. Parts that cannot
        be read are left out."""
        parts = (_interval(part) for part in text.split(",")) if text else ()
        known = (part for part in parts if part is not None and part[0] < completions)
        return cls(tuple(_joined((first, min(last, completions - 1)) for first, last in sorted(known))))

    def union(self, other: Indexes) -> Indexes:
        """Those in either."""
        return Indexes(tuple(_joined(sorted((*self.intervals, *other.intervals)))))

    def overlap(self, other: Indexes) -> int:
        """How many are in both."""
        return len(self) + len(other) - len(self.union(other))

    def missing(self, count: int, completions: int) -> list[int]:
        """The first `count` of 0 ... `completions` - 1 that are not in the set."""
        found: list[int] = []
        candidate = 0
        for first, last in (*self.intervals, (completions, completions)):
            end = min(first, completions, candidate + count - len(found))
            found.extend(range(candidate, end))
            candidate = max(candidate, last + 1)
        return found

    def __contains__(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self.intervals)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.intervals)

    def __str__(self) -> str:
        return ",".join(_shown(first, last) for first, last in self.intervals)


def _joined(intervals: Iterable[Interval]) -> Iterator[Interval]:
    """Ordered intervals, with those that touch or overlap made one."""
    current: Interval | None = None
    for first, last in intervals:
        if current is None:
            current = (first, last)
        elif first <= current[1] + 1:
            current = (current[0], max(current[1], last))
        else:
            yield current
            current = (first, last)
    if current is not None:
        yield current


def _interval(part: str) -> Interval | None:
    first, dash, last = part.partition("-")
    try:
        return int(first), int(last if dash else first)
    except ValueError:
        return None


def _shown(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first}{',' if last == first + 1 else '-'}{last}"
