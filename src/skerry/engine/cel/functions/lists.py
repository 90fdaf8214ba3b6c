"""Kubernetes' list library: `isSorted`, `sum`, `min`, `max`, `indexOf`, `lastIndexOf`; and `@mapInsert` of macros."""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from skerry.engine.cel.contract import EvaluationError
from skerry.engine.cel.operators import add
from skerry.engine.cel.values import equal, less


def _order(left: Any, right: Any) -> int:
    return -1 if less(left, right) else int(less(right, left))


def is_sorted(items: list[Any]) -> bool:
    """Whether every element is at most the next."""
    return all(not less(after, before) for before, after in pairwise(items))


def total(items: list[Any]) -> Any:
    """The sum; 0 of nothing."""
    result: Any = None
    for item in items:
        result = item if result is None else add(result, item)
    return 0 if result is None else result


def smallest(items: list[Any]) -> Any:
    """The smallest element. Raises EvaluationError on an empty list."""
    if not items:
        raise EvaluationError("min called on empty list")
    return min(items, key=cmp_to_key(_order))


def largest(items: list[Any]) -> Any:
    """The largest element. Raises EvaluationError on an empty list."""
    if not items:
        raise EvaluationError("max called on empty list")
    return max(items, key=cmp_to_key(_order))


def index_of(items: list[Any], wanted: Any) -> int:
    """The first position of an element, -1."""
    return next((at for at, item in enumerate(items) if equal(item, wanted)), -1)


def last_index_of(items: list[Any], wanted: Any) -> int:
    """The last position of an element, -1."""
    return next((at for at in reversed(range(len(items))) if equal(items[at], wanted)), -1)


def insert(mapping: dict[Any, Any], key: Any, value: Any = None) -> dict[Any, Any]:
    """A map with one more entry, or with those of another map: what `transformMap` and `transformMapEntry` build."""
    added = {key: value} if type(key) is not dict else key
    for name in added:
        if name in mapping:
            raise EvaluationError(f"insert failed: key {name} already exists")
    return mapping | added


FUNCTIONS: dict[str, Callable[..., Any]] = {"cel.@mapInsert": insert}
METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    list: {
        "isSorted": is_sorted,
        "sum": total,
        "min": smallest,
        "max": largest,
        "indexOf": index_of,
        "lastIndexOf": last_index_of,
    }
}
