"""Optional values: `optional.of`, `hasValue`, `value` ... `orValue` and `or` are lazy and so the interpreter's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skerry.engine.cel.contract import EvaluationError
from skerry.engine.cel.values import NONE, Optional, TypeValue


def of_non_zero(value: Any) -> Optional:
    """No value for null, false, 0, "" and empty collections."""
    empty = value is None or value is False or (type(value) in (int, float, str, bytes, list, dict) and not value)
    return NONE if empty else Optional(value)


def value_of(optional: Optional) -> Any:
    """The value. Raises EvaluationError when there is none."""
    if not optional.present:
        raise EvaluationError("optional.none() dereference")
    return optional.value


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "optional.of": Optional,
    "optional.none": lambda: NONE,
    "optional.ofNonZeroValue": of_non_zero,
}
METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    Optional: {"hasValue": lambda optional: optional.present, "value": value_of},
    TypeValue: {},
}
