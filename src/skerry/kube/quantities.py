"""Kubernetes quantities ("500m", "1.5Gi", "1e3") as exact numbers.

Source: k8s.io/apimachinery `pkg/api/resource`. Values are `Decimal`; `millicores` and `bytes_of` round up, as
Kubernetes does when it needs whole units.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

_PATTERN = re.compile(r"^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:([eE][+-]?\d+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?$")
_SUFFIXES: dict[str, Decimal] = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "k": Decimal(10**3), "M": Decimal(10**6),
    "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18), "Ki": Decimal(2**10),
    "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip


def parse_quantity(value: str | int | float) -> Decimal:
    """The exact value. Raises ValueError for what Kubernetes would refuse."""
    match = _PATTERN.match(str(value))
    if match is None:
        raise ValueError(f"quantities must match the regular expression '{_PATTERN.pattern}'")
    number, exponent, suffix = match.groups()
    if exponent:
        return Decimal(number + exponent)
    return Decimal(number) * _SUFFIXES[suffix] if suffix else Decimal(number)


def millicores(value: str | int | float) -> int:
    """A CPU quantity in thousandths of a core, rounded up."""
    return math.ceil(parse_quantity(value) * 1000)


def bytes_of(value: str | int | float) -> int:
    """A memory or storage quantity in bytes, rounded up."""
    return math.ceil(parse_quantity(value))


def format_millicores(value: int) -> str:
    """ "250m", or "2" for whole cores."""
    return f"{value}m" if value % 1000 else str(value // 1000)
