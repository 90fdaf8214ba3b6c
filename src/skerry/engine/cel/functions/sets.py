"""The sets extension: `sets.contains`, `sets.equivalent`, `sets.intersects` on lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skerry.engine.cel.contract import PER_CALL_LIMIT, CostExceeded
from skerry.engine.cel.values import contains


def _bounded(left: list[Any], right: list[Any]) -> None:
    if len(left) * len(right) > PER_CALL_LIMIT:
        raise CostExceeded("operation cancelled: actual cost limit exceeded")


def includes(left: list[Any], right: list[Any]) -> bool:
    """Whether every element of `right` is in `left`."""
    _bounded(left, right)
    return all(contains(left, item) for item in right)


def intersects(left: list[Any], right: list[Any]) -> bool:
    """Whether they share an element."""
    _bounded(left, right)
    return any(contains(left, item) for item in right)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sets.contains": includes,
    "sets.equivalent": lambda left, right: includes(left, right) and includes(right, left),
    "sets.intersects": intersects,
}
