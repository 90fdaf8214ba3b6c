"""Kubernetes quantities ("500m", "1.5Gi", "1e3") as exact numbers, and their canonical spelling.

Source: k8s.io/apimachinery `pkg/api/resource`. Values are `Decimal`, capped at ±(2^63 - 1) and rounded away from zero
to whole billionths, as Kubernetes does; `millicores` and `bytes_of` round up, as it does when it needs whole units.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_UP, Context, Decimal
from functools import lru_cache

_PATTERN = re.compile(
    r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:([eE][+-]?\d{1,9})|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?", re.ASCII
)
_LOOKS_RIGHT = re.compile(r"[+-]?[0-9.]+[eEinumkKMGTP]*[-+]?[0-9]*", re.ASCII)
_WRONG_FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_SUFFIXES: dict[str, Decimal] = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "k": Decimal(10**3), "M": Decimal(10**6),
    "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18), "Ki": Decimal(2**10),
    "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip
_DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_EXACT = Context(prec=80, Emin=-(10**12), Emax=10**12)
_NANO = Decimal("1e-9")
_LARGEST = Decimal(2**63 - 1)


def parse_quantity(value: str | int | float) -> Decimal:
    """The exact value. Raises ValueError for what Kubernetes would refuse."""
    return _parse(str(value))[0]


@lru_cache(maxsize=1024)
def _parse(text: str) -> tuple[Decimal, str]:
    """The value and what followed the number: a suffix, an exponent or nothing."""
    match = _PATTERN.fullmatch(text) if len(text) <= 128 else None
    if match is None:
        raise ValueError("unable to parse quantity's suffix" if _LOOKS_RIGHT.fullmatch(text) else _WRONG_FORMAT)
    number, exponent, suffix = match.groups()
    if exponent:
        return _bounded(_EXACT.create_decimal(number + exponent)), exponent
    return _bounded(_EXACT.multiply(Decimal(number), _SUFFIXES.get(suffix or "", Decimal(1)))), suffix or ""


def _bounded(value: Decimal) -> Decimal:
    # comparisons are exact whatever the exponent; arithmetic on 1e999999999 would overflow
    if value > _LARGEST or value < -_LARGEST:
        return _LARGEST.copy_sign(value)
    if value and -_NANO < value < _NANO:
        return _NANO.copy_sign(value)
    return value.quantize(_NANO, rounding=ROUND_UP, context=_EXACT).normalize(_EXACT)


@lru_cache(maxsize=4096)
def canonical(value: str | int | float) -> str:
    """The spelling Kubernetes stores: no fraction, the largest suffix that fits ("0.5" is "500m", "1024Mi" is "1Gi").
    Raises ValueError."""
    number, suffix = _parse(str(value))
    if not number:
        return "0"
    if suffix.endswith("i") and abs(number) >= 1024 and number == number.to_integral_value():
        return _binary(int(number))
    scale = -9
    nanos = int(number.scaleb(9, context=_EXACT))
    while nanos % 1000 == 0 and scale < 18:
        nanos, scale = nanos // 1000, scale + 3
    if suffix[:1] in ("e", "E") and len(suffix) > 1:
        return f"{nanos}e{scale}" if scale else str(nanos)
    return f"{nanos}{_DECIMAL[scale]}"


def _binary(number: int) -> str:
    scale = 0
    while number % 1024 == 0 and scale < len(_BINARY) - 1:
        number, scale = number // 1024, scale + 1
    return f"{number}{_BINARY[scale]}"


def millicores(value: str | int | float) -> int:
    """A CPU quantity in thousandths of a core, rounded up."""
    return math.ceil(parse_quantity(value) * 1000)


def bytes_of(value: str | int | float) -> int:
    """A memory or storage quantity in bytes, rounded up."""
    return math.ceil(parse_quantity(value))


def binary_quantity(number: int) -> str:
    """So many bytes, with a binary suffix where that is exact (1073741824 is "1Gi", 1000 is "1000"): the spelling of
    Kubernetes' `NewQuantity(number, BinarySI)`."""
    return _binary(number) if number else "0"
