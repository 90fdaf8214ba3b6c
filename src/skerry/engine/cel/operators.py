"""CEL's operators on values: arithmetic with 64-bit overflow, comparison, indexing, member selection.

Source: cel.dev's language definition; messages as cel-go words them. Neighbours: `values`, `interpreter`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from skerry.engine.cel.contract import EvaluationError
from skerry.engine.cel.values import (
    INT_MAX,
    INT_MIN,
    NONE,
    NUMBERS,
    UINT_MAX,
    Optional,
    Uint,
    contains,
    equal,
    less,
    no_overload,
    no_such_key,
)


def integer(value: int) -> int:
    """The value, when 64 bits hold it. Raises EvaluationError."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise EvaluationError("integer overflow")


def unsigned(value: int) -> Uint:
    """The value as uint. Raises EvaluationError."""
    if 0 <= value <= UINT_MAX:
        return Uint(value)
    raise EvaluationError("unsigned integer overflow")


def _same_numbers(left: Any, right: Any) -> type | None:
    kind = type(left)
    return kind if kind is type(right) and kind in NUMBERS else None


def _bounded(kind: type, value: Any) -> Any:
    if kind is int:
        return integer(value)
    return unsigned(int(value)) if kind is Uint else value


def add(left: Any, right: Any) -> Any:
    """`+`."""
    if kind := _same_numbers(left, right):
        return _bounded(kind, int(left) + int(right) if kind is Uint else left + right)
    if type(left) is type(right) and type(left) in (str, bytes, list):
        return left + right
    return _moved(left, right)


def _moved(left: Any, right: Any) -> Any:
    """Sums of times."""
    if isinstance(left, timedelta) and isinstance(right, datetime):
        left, right = right, left
    if isinstance(left, datetime | timedelta) and isinstance(right, timedelta):
        try:
            return left + right
        except OverflowError:
            raise EvaluationError("timestamp overflow") from None
    raise no_overload()


def subtract(left: Any, right: Any) -> Any:
    """`-`."""
    if kind := _same_numbers(left, right):
        return _bounded(kind, int(left) - int(right) if kind is Uint else left - right)
    if isinstance(left, datetime) and isinstance(right, datetime):
        return left - right
    if isinstance(right, timedelta):
        return _moved(left, -right)
    raise no_overload()


def multiply(left: Any, right: Any) -> Any:
    """`*`."""
    if kind := _same_numbers(left, right):
        return _bounded(kind, int(left) * int(right) if kind is Uint else left * right)
    raise no_overload()


def divide(left: Any, right: Any) -> Any:
    """`/`: integers towards zero; doubles as IEEE 754 says, so no error by zero."""
    kind = _same_numbers(left, right)
    if kind is float:
        return _divide_doubles(left, right)
    if kind is None:
        raise no_overload()
    if right == 0:
        raise EvaluationError("division by zero")
    quotient = abs(int(left)) // abs(int(right))
    return _bounded(kind, quotient if (left < 0) == (right < 0) else -quotient)


def _divide_doubles(left: float, right: float) -> float:
    if right:
        return left / right
    if not left or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def remainder(left: Any, right: Any) -> Any:
    """`%`: the sign is the dividend's."""
    kind = _same_numbers(left, right)
    if kind is None or kind is float:
        raise no_overload()
    if right == 0:
        raise EvaluationError("modulus by zero")
    rest = abs(int(left)) % abs(int(right))
    return _bounded(kind, -rest if left < 0 else rest)


def negate(value: Any) -> Any:
    """`-x`."""
    if type(value) is float:
        return -value
    if type(value) is int:
        return integer(-value)
    if isinstance(value, timedelta):
        return -value
    raise no_overload()


def logical_not(value: Any) -> bool:
    """`!x`."""
    if type(value) is bool:
        return not value
    raise no_overload()


def index(container: Any, key: Any) -> Any:
    """`container[key]`. Of an optional: an optional."""
    if type(container) is Optional:
        return optional_index(container, key)
    if type(container) is dict:
        if type(key) in (str, int, bool, Uint) and key in container:
            return container[key]
        if type(key) is float and key.is_integer() and int(key) in container:
            return container[int(key)]
        raise no_such_key(key)
    if type(container) is list:
        return container[position(container, key)]
    raise no_overload()


def position(container: list[Any], key: Any) -> int:
    """A list index. Raises EvaluationError."""
    if type(key) not in NUMBERS or (type(key) is float and not key.is_integer()):
        raise EvaluationError(f"unsupported index type '{type(key).__name__}' in list")
    if 0 <= key < len(container):
        return int(key)
    raise EvaluationError(f"index out of bounds: {key}")


def optional_index(container: Any, key: Any) -> Optional:
    """`container[?key]`."""
    if type(container) is Optional:
        if not container.present:
            return NONE
        container = container.value
    if type(container) is dict:
        return Optional(container[key]) if type(key) in (str, int, bool, Uint) and key in container else NONE
    if type(container) is list:
        return Optional(container[int(key)]) if type(key) in NUMBERS and 0 <= key < len(container) else NONE
    raise no_overload()


OPERATORS: dict[str, Callable[..., Any]] = {
    "_+_": add,
    "_-_": subtract,
    "_*_": multiply,
    "_/_": divide,
    "_%_": remainder,
    "-_": negate,
    "!_": logical_not,
    "_==_": equal,
    "_!=_": lambda left, right: not equal(left, right),
    "_<_": less,
    "_>_": lambda left, right: less(right, left),
    "_<=_": lambda left, right: not less(right, left) and left == left and right == right,
    "_>=_": lambda left, right: not less(left, right) and left == left and right == right,
    "@in": lambda item, container: contains(container, item),
    "_[_]": index,
    "_[?_]": optional_index,
}
"""By CEL's own names of its operators; `&&`, `||`, `?:` and the like are the interpreter's, being lazy."""
