"""Whether an applied configuration fits its schema: fields that are not declared, wrong types, items that repeat.

The messages are structured-merge-diff's (`typed/validate.go`), which clients search for words like "field not declared
in schema".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skerry.engine.schema.managed.elements import shown
from skerry.engine.schema.managed.types import Atomic, Fields, List, Scalar, Type

Path = tuple[str, ...]


def complaints(kind: Type, value: Any) -> str:
    """What is wrong, as one text; "" when nothing is."""
    found = [f"{shown(path)}: {message}" if path else message for path, message in _check(kind, value, ())]
    if len(found) < 2:
        return found[0] if found else ""
    return "\n  ".join(["errors:", *found])


def _check(kind: Type, value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if value is None:
        return
    if isinstance(kind, Atomic):
        yield from _check_atomic(kind.shape, value, path)
    elif isinstance(kind, Fields):
        yield from _check_fields(kind, value, path)
    elif isinstance(kind, List):
        yield from _check_list(kind, value, path)
    elif isinstance(kind, Scalar) and (message := _check_scalar(kind.name, value)):
        yield path, message


def _check_fields(kind: Fields, value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(value, dict):
        yield path, f"expected map, got {_go(value)}"
        return
    for name, content in value.items():
        key, below = kind.of(name)
        if name not in kind.declared and kind.rest is None:
            yield (*path, key), "field not declared in schema"
            return
        yield from _check(below, content, (*path, key))


def _check_list(kind: List, value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(value, list):
        yield path, f"expected list, got {_go(value)}"
        return
    seen = set()
    for index, item in enumerate(value):
        try:
            key = kind.element(item)
        except ValueError as error:
            yield path, f"element {index}: {error}"
            return
        if key in seen:
            yield path, f"duplicate entries for key {shown((key,))}"
        seen.add(key)
        yield from _check(kind.items, item, (*path, key))


def _check_atomic(shape: Type, value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Items of an atomic list are told apart by their place."""
    if not isinstance(shape, List):
        yield from _check(shape, value, path)
    elif not isinstance(value, list):
        yield path, f"expected list, got {_go(value)}"
    else:
        for index, item in enumerate(value):
            yield from _check(shape.items, item, (*path, f"i:{index}"))


def _check_scalar(name: str, value: Any) -> str:
    if name == "numeric":
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return "" if fits else f"expected numeric (int or float), got {_go_type(value)}"
    if name == "string":
        return (
            "" if isinstance(value, str) else f"expected string, got &value.valueUnstructured{{Value:{go_text(value)}}}"
        )
    if name == "boolean":
        return "" if isinstance(value, bool) else f"expected boolean, got {_go(value)}"
    return f"expected any scalar, got {_go(value)}" if isinstance(value, dict | list) else ""


def _go(value: Any) -> str:
    return f"&{{{go_text(value)}}}"


def go_text(value: Any) -> str:
    """As Go's %v prints it: `map[labels:map[app:web]]`."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_text(value[key])}" for key in sorted(value)) + "]"
    return "[" + " ".join(go_text(item) for item in value) + "]" if isinstance(value, list) else str(value)


def _go_type(value: Any) -> str:
    names: dict[type, str] = {str: "string", bool: "bool", dict: "map[string]interface {}", list: "[]interface {}"}
    return names.get(type(value), "interface {}")
