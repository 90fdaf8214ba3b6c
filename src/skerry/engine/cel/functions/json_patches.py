"""`jsonpatch.escapeKey`: a key as a step of a JSON pointer. Source: apiserver `pkg/cel/library/jsonpatch.go`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skerry.engine.cel.values import no_overload


def escape_key(key: str) -> str:
    """The key with `~` and `/` escaped."""
    if type(key) is not str:
        raise no_overload()
    return key.replace("~", "~0").replace("/", "~1")


FUNCTIONS: dict[str, Callable[..., Any]] = {"jsonpatch.escapeKey": escape_key}
