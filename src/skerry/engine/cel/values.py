"""CEL values that JSON has no type for, and how any two values compare.

int, float, str, bool, None, bytes, list and dict stand for themselves; timestamps are aware `datetime`s, durations
`timedelta`s. Invariant: True is not 1 here, as in CEL and unlike in Python. Source: cel.dev, "Equality" and "Ordering".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from skerry.engine.cel.contract import EvaluationError
from skerry.kube.records import record

INT_MIN, INT_MAX, UINT_MAX = -(2**63), 2**63 - 1, 2**64 - 1


class Uint(int):
    """CEL's unsigned 64-bit integer."""

    __slots__ = ()


@record
class TypeValue:
    """A type as a value: what `type(x)` returns."""

    name: str


@record
class Optional:
    """CEL's optional: with `present` False there is no value."""

    value: Any = None
    present: bool = True


NONE = Optional(present=False)
NUMBERS = frozenset({int, float, Uint})
_SCALARS = frozenset({str, bool, bytes, type(None)})
_ORDERED = frozenset({str, bool, bytes, datetime, timedelta})
_NAMES: dict[type, str] = {
    bool: "bool", int: "int", Uint: "uint", float: "double", str: "string", bytes: "bytes", list: "list", dict: "map",
    type(None): "null_type", datetime: "google.protobuf.Timestamp", timedelta: "google.protobuf.Duration",
    TypeValue: "type", Optional: "optional_type",
}  # fmt: skip


def no_overload() -> EvaluationError:
    """What CEL says of an operation on values it is not for."""
    return EvaluationError("no such overload")


def no_such_key(key: Any) -> EvaluationError:
    """What CEL says of a missing field or map key."""
    return EvaluationError(f"no such key: {key}")


def equal(left: Any, right: Any) -> bool:
    """`==`: numbers of all types by value, lists and maps deeply, other types never equal across types."""
    kind = type(left)
    if kind in NUMBERS:
        return type(right) in NUMBERS and bool(left == right)
    if kind is not type(right):
        return False
    if kind in _SCALARS:
        return bool(left == right)
    if kind is list:
        return len(left) == len(right) and all(map(equal, left, right))
    if kind is dict:
        return len(left) == len(right) and all(key in right and equal(left[key], right[key]) for key in left)
    if kind is Optional:
        return left.present == right.present and equal(left.value, right.value)
    return bool(left == right)


def less(left: Any, right: Any) -> bool:
    """`<`. Raises EvaluationError for what has no order."""
    kind = type(left)
    if (kind in NUMBERS and type(right) in NUMBERS) or (kind is type(right) and kind in _ORDERED):
        return bool(left < right)
    raise no_overload()


def contains(container: Any, item: Any) -> bool:
    """`in`: an element of a list, a key of a map."""
    if type(container) is list:
        return any(equal(item, element) for element in container)
    if type(container) is dict:
        return type(item) in (str, int, Uint, bool) and item in container
    raise no_overload()


def type_of(value: Any) -> TypeValue:
    """`type(value)`."""
    name = _NAMES.get(type(value)) or getattr(value, "CEL_TYPE", None)
    return TypeValue(name or "dyn")
