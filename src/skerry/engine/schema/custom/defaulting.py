"""Filling in defaults and dropping meaningless nulls by a structural schema, when written and when read.

Source: `pkg/apiserver/schema/defaulting` of the apiextensions server: a null where none is allowed gives way to the
default, or goes when there is none.
"""

from __future__ import annotations

from typing import Any

import orjson

from skerry.engine.schema.custom.structural import MISSING, Node
from skerry.kube.objects import Obj


def fill(obj: Obj, root: Node) -> None:
    """Nulls, then defaults, in place."""
    drop_nulls(obj, root)
    if root.has_defaults:
        default(obj, root)


def drop_nulls(value: Any, node: Node | None) -> None:
    """Remove keys that are null where the schema neither allows null nor has a default."""
    if isinstance(value, dict):
        for key in [key for key, item in value.items() if item is None or isinstance(item, dict | list)]:
            below = node.below(key) if node is not None else None
            if value[key] is None:
                if below is not None and not below.nullable and below.default is MISSING:
                    del value[key]
            else:
                drop_nulls(value[key], below)
    elif isinstance(value, list):
        items = node.items if node is not None else None
        for item in value:
            if isinstance(item, dict | list):
                drop_nulls(item, items)


def default(value: Any, node: Node | None) -> None:
    """Set what is missing, or null where null is not allowed, to its default."""
    if node is None or not node.has_defaults:
        return
    if isinstance(value, dict):
        _default_fields(value, node)
    elif isinstance(value, list) and node.items is not None:
        for index, item in enumerate(value):
            if item is None and not node.items.nullable:
                value[index] = _fresh(node.items)
            default(value[index], node.items)


def _default_fields(value: Obj, node: Node) -> None:
    for key, below in node.properties.items():
        if below.default is not MISSING and (key not in value or (value[key] is None and not below.nullable)):
            value[key] = _fresh(below)
    for key in value:
        known = node.properties.get(key)
        if known is None and node.additional is not None:
            known = node.additional
            if value[key] is None and not known.nullable:
                value[key] = _fresh(known)
        default(value[key], known)


def _fresh(node: Node) -> Any:
    """A private copy of a default; null when there is none."""
    if node.default is MISSING:
        return None
    return orjson.loads(orjson.dumps(node.default)) if isinstance(node.default, dict | list) else node.default
