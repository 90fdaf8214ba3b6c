"""Numbers of which only bounds are known: sizes of values and costs of evaluating, as estimates have them.

Source: `SizeEstimate` and `CostEstimate` of cel-go's `checker/cost.go`. What would pass 64 bits stays at their end.
"""

from __future__ import annotations

import math
from typing import NamedTuple

MOST = 2**64 - 1
TRAVERSAL = 0.1
"""Cost of looking at one character of a text."""
PATTERN = 0.25
"""Cost of a character of a regular expression, for every character it is tried on."""


class Range(NamedTuple):
    """From `least` to `most`, both at most 2**64 - 1."""

    least: int
    most: int

    def plus(self, other: Range) -> Range:
        """The sum."""
        return Range(min(self.least + other.least, MOST), min(self.most + other.most, MOST))

    def times(self, other: Range) -> Range:
        """The product."""
        return Range(min(self.least * other.least, MOST), min(self.most * other.most, MOST))

    def scaled(self, factor: float) -> Range:
        """Times a factor, rounded up."""
        return Range(_scaled(self.least, factor), _scaled(self.most, factor))

    def union(self, other: Range) -> Range:
        """What holds both."""
        return Range(min(self.least, other.least), max(self.most, other.most))


NOTHING, ONE, UNKNOWN = Range(0, 0), Range(1, 1), Range(0, MOST)


def exactly(number: int) -> Range:
    """A number that is known."""
    return Range(number, number)


def total(ranges: list[Range]) -> Range:
    """The sum of all."""
    result = NOTHING
    for each in ranges:
        result = result.plus(each)
    return result


def _scaled(number: int, factor: float) -> int:
    return min(math.ceil(float(number) * factor), MOST)
