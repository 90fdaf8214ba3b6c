"""What is counted, in whole numbers: sums are exact in any order, and two parts of a time make the whole of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import add
from typing import NamedTuple

Who = tuple[str, str]
"""Namespace and user; "" for a user nobody knows."""
_MOST_ENTRIES = 500
OTHERS: Who = ("", "")
"""Where the smallest go when there are too many."""


class Amounts(NamedTuple):
    """What was used; or, as a rate, what is used in each second."""

    cpu: int = 0
    """Requested: thousandths of a core, times seconds."""
    memory: int = 0
    """Requested: MiB, times seconds."""
    gpu: int = 0
    """Requested: GPUs, times seconds."""
    storage: int = 0
    """Claimed: MiB, times seconds."""
    used_cpu: int = 0
    """Measured: milliseconds of a core."""
    egress: int = 0
    """Measured: bytes sent."""

    def plus(self, other: Amounts) -> Amounts:
        """Both together."""
        return Amounts(*map(add, self, other))

    def during(self, seconds: int) -> Amounts:
        """Of a rate: what it comes to."""
        return Amounts(*(one * seconds for one in self))


NOTHING = Amounts()
Tally = Mapping[Who, Amounts]


def together(*tallies: Tally) -> dict[Who, Amounts]:
    """The sum of each."""
    total: dict[Who, Amounts] = {}
    for tally in tallies:
        for who, amounts in tally.items():
            total[who] = total.get(who, NOTHING).plus(amounts)
    return total


def total_of(amounts: Iterable[Amounts]) -> Amounts:
    """Of all."""
    total = NOTHING
    for one in amounts:
        total = total.plus(one)
    return total


def bounded(tally: Tally, most: int = _MOST_ENTRIES) -> dict[Who, Amounts]:
    """At most so many entries: the smallest become one, and the sum stays."""
    if len(tally) <= most:
        return dict(tally)
    ordered = sorted(tally, key=lambda who: (who == OTHERS, tally[who]), reverse=True)
    kept, rest = ordered[: most - 1], ordered[most - 1 :]
    return together({who: tally[who] for who in kept}, {OTHERS: total_of(tally[who] for who in rest)})
