"""Merging an applied configuration into the live object, and taking fields out of an object.

Objects passed in are shared and stay as they are; the result shares their parts. Source: structured-merge-diff
`typed/merge.go`, `typed/remove.go`.
"""

from __future__ import annotations

from typing import Any

from skerry.engine.schema.managed.sets import Set, is_member
from skerry.engine.schema.managed.types import OPEN, Atomic, Deduced, Fields, List, Type


def merge(kind: Type, old: Any, new: Any) -> Any:
    """`new` over `old`, both there. A null does not empty what has content."""
    if isinstance(kind, Deduced):
        kind = OPEN if isinstance(old, dict) and isinstance(new, dict | None) else kind
    if isinstance(kind, Fields):
        return _merge_fields(kind, old, new)
    if isinstance(kind, List):
        return _merge_list(kind, old, new)
    return new


def _merge_fields(kind: Fields, old: Any, new: Any) -> Any:
    before = old if isinstance(old, dict) else {}
    if not new:
        return before or new
    if not isinstance(new, dict):
        return new
    result = dict(before)
    for name, content in new.items():
        result[name] = merge(kind.of(name)[1], before[name], content) if name in before else content
    return result


def _merge_list(kind: List, old: Any, new: Any) -> Any:
    before = old if isinstance(old, list) else []
    if not new:
        return before or new
    if not before or not isinstance(new, list):
        return new
    return _Merging(kind, before, new).run()


class _Merging:
    """Two lists of items that are told apart becoming one: the new ones in their order, the other old ones where they
    stood between them."""

    def __init__(self, kind: List, old: list[Any], new: list[Any]) -> None:
        self._kind = kind
        self._old, self._new = old, new
        self._left, self._right = [_element(kind, item) for item in old], [kind.element(item) for item in new]
        self._mine = dict(zip(self._right, new, strict=True))
        self._theirs: dict[str, Any] = {}
        for key, item in zip(self._left, old, strict=True):
            self._theirs[key] = None if key in self._theirs else item  # what is there twice is not merged with
        self._shared = [key for key in self._right if key in self._theirs]
        self._done: set[str] = set()

    def run(self) -> list[Any]:
        """The merged list."""
        out: list[Any] = []
        left = right = 0
        while left < len(self._left) or right < len(self._right):
            key = self._left[left] if left < len(self._left) else None
            wanted = self._right[right] if right < len(self._right) else None
            if key is not None and key != wanted:
                if key not in self._mine:
                    out.append(self._old[left])
                    left += 1
                    continue
                if wanted is not None and self._shared and self._shared[0] != key:
                    left += 1  # it comes where the new list has it
                    continue
            left += key is not None and (key == wanted or key in self._done)
            if wanted is not None:
                out.append(self._merged(wanted))
                right += 1
        return out

    def _merged(self, key: str) -> Any:
        self._done.add(key)
        if self._shared and self._shared[0] == key:
            self._shared.pop(0)
        return merge(self._kind.items, self._theirs[key], self._mine[key]) if key in self._theirs else self._mine[key]


def _element(kind: List, item: Any) -> str:
    """The path element of a live item; one that cannot be told apart is unlike all others."""
    try:
        return kind.element(item)
    except ValueError:
        return f"?:{id(item)}"


def take_out(kind: Type, value: Any, fields: Set) -> Any:
    """`value` without the fields of a set; None where nothing is left."""
    if isinstance(kind, Atomic):
        return None
    if isinstance(kind, Deduced):
        return take_out(OPEN, value, fields) if isinstance(value, dict) else value
    if isinstance(kind, Fields) and isinstance(value, dict):
        return _take_fields(kind, value, fields)
    if isinstance(kind, List) and isinstance(value, list):
        return _take_items(kind, value, fields)
    return value


def _take_fields(kind: Fields, value: dict[str, Any], fields: Set) -> Any:
    result = {}
    for name, content in value.items():
        key, below = kind.of(name)
        gone = fields.get(key)
        if gone is None:
            result[name] = content
        elif not is_member(gone) and (left := take_out(below, content, gone)) is not None:
            result[name] = left
    return result or None


def _take_items(kind: List, value: list[Any], fields: Set) -> Any:
    result = []
    for item in value:
        gone = fields.get(_element(kind, item))
        if gone is None:
            result.append(item)
        elif not is_member(gone) and (left := take_out(kind.items, item, gone)) is not None:
            result.append(left)
    return result or None
