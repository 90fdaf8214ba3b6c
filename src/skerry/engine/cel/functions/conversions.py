"""Conversions between CEL's types, `size`, `type`, `dyn`. Source: cel.dev, "List of Standard Definitions"."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from skerry.engine.cel.contract import EvaluationError
from skerry.engine.cel.operators import integer, unsigned
from skerry.engine.cel.times import format_duration, format_timestamp, parse_duration, parse_timestamp
from skerry.engine.cel.values import NUMBERS, Uint, no_overload, type_of

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


def size(value: Any) -> int:
    """Characters of a string, bytes, elements, entries."""
    if type(value) in (str, bytes, list, dict):
        return len(value)
    raise no_overload()


def to_int(value: Any) -> int:
    """`int(x)`; a timestamp gives its seconds."""
    kind = type(value)
    if kind is str:
        if not _INTEGER.fullmatch(value):
            raise EvaluationError(f"type conversion error from 'string' to 'int': {value!r}")
        return integer(int(value))
    if kind is float and (math.isnan(value) or math.isinf(value)):
        raise EvaluationError("integer overflow")
    if kind in NUMBERS:
        return integer(int(value))
    if isinstance(value, datetime):
        return int(value.timestamp() // 1)
    if isinstance(value, timedelta):
        return value // timedelta(microseconds=1) * 1000
    raise no_overload()


def to_uint(value: Any) -> Uint:
    """`uint(x)`."""
    kind = type(value)
    if kind is str:
        if not value.isdecimal():
            raise EvaluationError(f"type conversion error from 'string' to 'uint': {value!r}")
        return unsigned(int(value))
    if kind is float and not math.isfinite(value):
        raise EvaluationError("unsigned integer overflow")
    if kind in NUMBERS:
        return unsigned(int(value))
    raise no_overload()


def to_double(value: Any) -> float:
    """`double(x)`."""
    if type(value) is str:
        try:
            return float(value)
        except ValueError:
            raise EvaluationError(f"type conversion error from 'string' to 'double': {value!r}") from None
    if type(value) in NUMBERS:
        return float(value)
    raise no_overload()


def double_text(value: float) -> str:
    """A double as Go prints it: shortest, whole numbers without a fraction, exponents from 1e21."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    mantissa, exponent, digits = repr(value).partition("e")
    return f"{mantissa}{exponent}{digits}"


def to_string(value: Any) -> str:
    """`string(x)`."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        return double_text(value)
    if kind in NUMBERS:
        return str(int(value))
    if kind is bytes:
        try:
            return str(value, "utf-8")
        except UnicodeDecodeError:
            raise EvaluationError("invalid UTF-8 in bytes, cannot convert to string") from None
    return _written(value)


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return format_timestamp(value)
    if isinstance(value, timedelta):
        return format_duration(value)
    writer: Callable[[], str] | None = getattr(value, "cel_string", None)
    if writer is None:
        raise no_overload()
    return writer()


def to_bytes(value: Any) -> bytes:
    """`bytes(x)`."""
    if type(value) is bytes:
        return bytes(value)
    if type(value) is str:
        return value.encode()
    raise no_overload()


def to_bool(value: Any) -> bool:
    """`bool(x)`."""
    if type(value) is bool:
        return value
    if type(value) is str and value in _TRUE | _FALSE:
        return value in _TRUE
    raise EvaluationError("type conversion error from 'string' to 'bool'") if type(value) is str else no_overload()


def to_timestamp(value: Any) -> datetime:
    """`timestamp(x)`: of RFC 3339 text, or of seconds since the epoch."""
    if isinstance(value, datetime):
        return value
    if type(value) is str:
        return parse_timestamp(value)
    if type(value) is int:
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            raise EvaluationError("timestamp overflow") from None
    raise no_overload()


def to_duration(value: Any) -> timedelta:
    """`duration(x)`: of Go's text ("1h30m"), or of nanoseconds."""
    if isinstance(value, timedelta):
        return value
    if type(value) is str:
        return parse_duration(value)
    if type(value) is int:
        return timedelta(microseconds=value / 1000)
    raise no_overload()


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "size": size, "type": type_of, "dyn": lambda value: value, "int": to_int, "uint": to_uint, "double": to_double,
    "string": to_string, "bytes": to_bytes, "bool": to_bool, "timestamp": to_timestamp, "duration": to_duration,
}  # fmt: skip
METHODS: dict[type, dict[str, Callable[..., Any]]] = {kind: {"size": size} for kind in (str, bytes, list, dict)}
