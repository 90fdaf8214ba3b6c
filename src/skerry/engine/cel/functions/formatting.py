"""`string.format(list)`: %s %d %f %e %b %x %X %o, as the strings extension of CEL defines them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from skerry.engine.cel.contract import EvaluationError
from skerry.engine.cel.functions.conversions import double_text, to_string
from skerry.engine.cel.values import Optional, TypeValue, Uint

_CLAUSE = re.compile(r"%(?:%|(?:\.(\d+))?([a-zA-Z]))|%")
_INTEGERS = (int, Uint)


def format_string(pattern: str, arguments: list[Any]) -> str:
    """The pattern with its clauses filled in. Raises EvaluationError."""
    left = iter(arguments)

    def fill(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        write = _VERBS.get(match[2] or "")
        if write is None:
            raise EvaluationError(f'could not parse formatting clause: unrecognized formatting clause "{match[2]}"')
        for value in left:
            return write(value, None if match[1] is None else min(int(match[1]), 1000))
        raise EvaluationError(f"index {len(arguments)} out of range")

    return _CLAUSE.sub(fill, pattern)


def _wrong(verb: str, value: Any, wanted: str) -> EvaluationError:
    return EvaluationError(f"error during formatting: {verb} clause can only be used on {wanted}, was given {value!r}")


def _string(value: Any, precision: int | None) -> str:
    if type(value) is list:
        return "[" + ", ".join(_string(item, None) for item in value) + "]"
    if type(value) is dict:
        entries = sorted((_string(key, None), _string(item, None)) for key, item in value.items())
        return "{" + ", ".join(f"{key}: {item}" for key, item in entries) + "}"
    if value is None:
        return "null"
    if type(value) is TypeValue:
        return value.name
    if type(value) is Optional:
        raise _wrong("string", value, "strings, bools, bytes, ints, doubles, maps, lists, types, durations, timestamps")
    if type(value) is float and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return to_string(value)


def _decimal(value: Any, precision: int | None) -> str:
    if type(value) in _INTEGERS:
        return str(int(value))
    if type(value) is float:
        return _special(value) or double_text(value)
    raise _wrong("decimal", value, "integers")


def _special(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return ("Infinity" if value > 0 else "-Infinity") if math.isinf(value) else ""


def _number(value: Any) -> float:
    if type(value) in (int, Uint, float):
        return float(value)
    raise _wrong("fixed-point", value, "doubles")


def _fixed(value: Any, precision: int | None) -> str:
    number = _number(value)
    return _special(number) or f"{number:.{6 if precision is None else precision}f}"


def _scientific(value: Any, precision: int | None) -> str:
    number = _number(value)
    return _special(number) or f"{number:.{6 if precision is None else precision}e}"


def _binary(value: Any, precision: int | None) -> str:
    if type(value) is bool:
        return "1" if value else "0"
    if type(value) in _INTEGERS:
        return format(int(value), "b")
    raise _wrong("binary", value, "integers and bools")


def _hex(value: Any, precision: int | None) -> str:
    if type(value) in _INTEGERS:
        return format(int(value), "x")
    if type(value) is str:
        return value.encode().hex()
    if type(value) is bytes:
        return value.hex()
    raise _wrong("hex", value, "integers, byte buffers, and strings")


def _octal(value: Any, precision: int | None) -> str:
    if type(value) in _INTEGERS:
        return format(int(value), "o")
    raise _wrong("octal", value, "integers")


_VERBS: dict[str, Callable[[Any, int | None], str]] = {
    "s": _string, "d": _decimal, "f": _fixed, "e": _scientific, "b": _binary, "x": _hex, "o": _octal,
    "X": lambda value, precision: _hex(value, precision).upper(),
}  # fmt: skip
METHODS: dict[type, dict[str, Callable[..., Any]]] = {str: {"format": format_string}}
