"""Simple paths into objects (".spec.replicas"), as scale subresources and selectable fields have them."""

from __future__ import annotations

import re
from typing import Any


def keys_of(path: str) -> tuple[str, ...]:
    """The names of a simple path: ".spec.replicas" gives ("spec", "replicas")."""
    return tuple(re.sub(r"\\(.)", r"\1", name) for name in re.split(r"(?<!\\)\.", path.removeprefix(".")) if name)


def value_at(obj: Any, path: tuple[str, ...]) -> Any:
    """A nested field, None when any part of the way is missing."""
    for key in path:
        obj = obj.get(key) if isinstance(obj, dict) else None
    return obj
