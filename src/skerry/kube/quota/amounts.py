"""Amounts of resources by name, exact, with the spelling (binary or decimal) that sums keep.

Source: k8s.io/apimachinery `pkg/api/resource` (Add keeps the format of the first that is not zero) and
`apiserver/pkg/quota/v1/resources.go`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from skerry.kube.quantities import canonical, parse_quantity


class Amount(NamedTuple):
    """A quantity: CPU in cores, memory and storage in bytes, the rest in pieces. `binary`: spelled with Ki, Mi, ..."""

    value: Decimal
    binary: bool = False

    def plus(self, other: Amount) -> Amount:
        """The sum."""
        return Amount(self.value + other.value, self.binary if self.value else other.binary)

    def minus(self, other: Amount) -> Amount:
        """The difference, not below zero."""
        return Amount(max(self.value - other.value, ZERO.value), self.binary if self.value else other.binary)

    def __str__(self) -> str:
        return _spelled(self.value, self.binary)

    @property
    def units(self) -> int:
        """Whole units, rounded up."""
        return math.ceil(self.value)

    @property
    def milli(self) -> int:
        """Thousandths, rounded up."""
        return math.ceil(self.value * 1000)


Amounts: TypeAlias = Mapping[str, Amount]
ZERO, ONE = Amount(Decimal(0)), Amount(Decimal(1))


@lru_cache(maxsize=4096)
def amount(quantity: str) -> Amount:
    """A quantity as it is written. Raises ValueError."""
    return Amount(parse_quantity(quantity), quantity.endswith("i"))


def amounts(quantities: Mapping[str, object] | None) -> dict[str, Amount]:
    """A resource list ("cpu": "500m")."""
    return {name: amount(str(value)) for name, value in (quantities or {}).items()}


def pieces(number: int) -> Amount:
    """A number of things."""
    return ONE if number == 1 else Amount(Decimal(number))


def added(left: Amounts, right: Amounts) -> dict[str, Amount]:
    """Both together."""
    total = dict(left)
    for name, value in right.items():
        total[name] = total[name].plus(value) if name in total else value
    return total


def reduced(left: Amounts, right: Amounts) -> dict[str, Amount]:
    """`left` without `right`, nothing below zero."""
    return {name: value.minus(right[name]) if name in right else value for name, value in left.items()}


def largest(left: Amounts, right: Amounts) -> dict[str, Amount]:
    """The greater of both, by name."""
    total = dict(left)
    for name, value in right.items():
        if name not in total or value.value > total[name].value:
            total[name] = value
    return total


def only(all_of: Amounts, names: Iterable[str]) -> dict[str, Amount]:
    """Those with the names given."""
    wanted = set(names)
    return {name: value for name, value in all_of.items() if name in wanted}


def listed(values: Amounts) -> str:
    """ "cpu=500m,pods=1": by name, as messages show them."""
    return ",".join(f"{name}={value}" for name, value in sorted(values.items()))


@lru_cache(maxsize=4096)
def _spelled(value: Decimal, binary: bool) -> str:
    return canonical(f"{value / 1024:f}Ki") if binary else canonical(f"{value:f}")
