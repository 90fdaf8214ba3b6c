"""Lists that are sets or maps hold each element once. Source: `pkg/apiserver/schema/listtype`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from skerry.engine.schema.causes import duplicate, invalid
from skerry.engine.schema.custom.structural import Node
from skerry.kube.errors import Cause


def check_unique(value: Any, node: Node | None, path: str = "") -> Iterator[Cause]:
    """A cause for every element that is there before, in every set and map below."""
    if node is None or not node.has_unique:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if key in node.properties:
                yield from check_unique(item, node.properties[key], f"{path}.{key}" if path else key)
            elif node.additional is not None:
                yield from check_unique(item, node.additional, f"{path}[{key}]")
    elif isinstance(value, list):
        if node.list_type == "set":
            yield from (duplicate(f"{path}[{index}]", value[index]) for index in _repeated(value))
        elif node.list_type == "map":
            yield from _check_map(value, node.map_keys, path)
        for index, item in enumerate(value):
            yield from check_unique(item, node.items, f"{path}[{index}]")


def _check_map(value: list[Any], keys: Sequence[str], path: str) -> Iterator[Cause]:
    for index, item in enumerate(value):
        if item is not None and not isinstance(item, dict):
            yield invalid(f"{path}[{index}]", item, "must be an object for an array of list-type map")
            return
    named = [key_of(item or {}, keys) for item in value]
    yield from (duplicate(f"{path}[{index}]", named[index]) for index in _repeated(named))


def key_of(item: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """What tells an item of a map from the others."""
    return {key: item[key] for key in keys if key in item}


def _repeated(values: list[Any]) -> list[int]:
    """Where a value is seen for the second time (further ones are not told)."""
    seen: dict[bytes, int] = {}
    found = []
    for index, value in enumerate(values):
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        seen[text] = seen.get(text, 0) + 1
        if seen[text] == 2:
            found.append(index)
    return found
