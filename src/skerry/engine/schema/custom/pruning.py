"""Dropping what a schema does not know. Source: apiextensions-apiserver `pkg/apiserver/schema/pruning`."""

from __future__ import annotations

from typing import Any

from skerry.engine.schema.custom.structural import META_FIELDS, Node
from skerry.engine.schema.pruning import Path, path_text
from skerry.kube.objects import Obj


def prune(obj: Obj, root: Node) -> list[str]:
    """Drop unknown fields of a whole resource, in place; the sorted paths of what was dropped."""
    found: list[str] = []
    _fields(obj, root, (), found, is_resource=True)
    return sorted(found)


def prune_value(value: Any, node: Node) -> None:
    """Drop unknown fields of a part of a resource, in place."""
    _walk(value, node, (), [])


def _walk(value: Any, node: Node | None, path: Path, found: list[str]) -> None:
    if isinstance(value, dict):
        if node is None:
            found += [path_text((*path, key)) for key in value]
            value.clear()
        else:
            _fields(value, node, path, found, is_resource=node.embedded)
    elif isinstance(value, list):
        _items(value, node, path, found)


def _items(value: list[Any], node: Node | None, path: Path, found: list[str]) -> None:
    """Items of a list that preserves keep what they have; what is specified in them is pruned all the same."""
    items = node.items if node is not None else None
    if node is not None and node.preserve and items is None:
        return
    for index, item in enumerate(value):
        if isinstance(item, dict | list):
            if node is not None and node.preserve and items is not None:
                _preserve(item, items, (*path, index), found)
            else:
                _walk(item, items, (*path, index), found)


def _preserve(value: Any, node: Node, path: Path, found: list[str]) -> None:
    if isinstance(value, dict):
        _fields(value, node, path, found, is_resource=node.embedded, preserve=True)
    else:
        for index, item in enumerate(value):
            if isinstance(item, dict | list) and node.items is not None:
                _preserve(item, node.items, (*path, index), found)


def _fields(
    value: Obj, node: Node, path: Path, found: list[str], *, is_resource: bool, preserve: bool | None = None
) -> None:
    keeps = node.preserve if preserve is None else preserve
    for key in list(value):
        if is_resource and key in META_FIELDS:
            continue
        known = node.properties.get(key)
        if known is not None or node.is_map:
            if isinstance(value[key], dict | list):
                _walk(value[key], known or node.additional, (*path, key), found)
        elif not keeps:
            found.append(path_text((*path, key)))
            del value[key]
