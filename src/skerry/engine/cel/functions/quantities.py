"""Kubernetes' quantities: `quantity("1.5Gi")`, comparison, sums. Source: apiserver `pkg/cel/library/quantity.go`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from skerry.engine.cel.contract import EvaluationError
from skerry.engine.cel.values import INT_MAX, INT_MIN, no_overload
from skerry.kube.quantities import parse_quantity
from skerry.kube.records import record


@record
class Quantity:
    """An exact number."""

    CEL_TYPE: ClassVar[str] = "kubernetes.Quantity"
    value: Decimal


def quantity(text: str) -> Quantity:
    """Parse. Raises EvaluationError."""
    if type(text) is not str:
        raise no_overload()
    try:
        return Quantity(parse_quantity(text))
    except ValueError as error:
        raise EvaluationError(str(error)) from None


def is_quantity(text: str) -> bool:
    """Whether `quantity` would take it."""
    try:
        quantity(text)
    except EvaluationError:
        if type(text) is not str:
            raise
        return False
    return True


def _number(other: Any) -> Decimal:
    if isinstance(other, Quantity):
        return other.value
    if type(other) is int:
        return Decimal(other)
    raise no_overload()


def _same(other: Any) -> Decimal:
    if not isinstance(other, Quantity):
        raise no_overload()
    return other.value


def is_integer(value: Quantity) -> bool:
    """Whether it is a whole number that 64 bits hold."""
    return value.value == value.value.to_integral_value() and INT_MIN <= value.value <= INT_MAX


def as_integer(value: Quantity) -> int:
    """The whole number. Raises EvaluationError."""
    if not is_integer(value):
        raise EvaluationError("cannot convert value to integer")
    return int(value.value)


def _compare(left: Decimal, right: Decimal) -> int:
    return (left > right) - (left < right)


FUNCTIONS: dict[str, Callable[..., Any]] = {"quantity": quantity, "isQuantity": is_quantity}
METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    Quantity: {
        "sign": lambda value: _compare(value.value, Decimal(0)),
        "isGreaterThan": lambda value, other: value.value > _same(other),
        "isLessThan": lambda value, other: value.value < _same(other),
        "compareTo": lambda value, other: _compare(value.value, _same(other)),
        "add": lambda value, other: Quantity(value.value + _number(other)),
        "sub": lambda value, other: Quantity(value.value - _number(other)),
        "asInteger": as_integer,
        "isInteger": is_integer,
        "asApproximateFloat": lambda value: float(value.value),
    }
}
