"""A limit on how deep values nest, so that no later recursion can be driven off its stack."""

from __future__ import annotations

from typing import Any

import orjson

from skerry.kube.errors import BadRequest

MAX_DEPTH = 128


def check_depth(value: Any) -> None:
    """Raise BadRequest when lists and objects nest deeper than MAX_DEPTH. Itself not recursive."""
    if _is_shallow(value):
        return
    level = [value] if isinstance(value, dict | list) else []
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise BadRequest(f"exceeded max depth: objects may nest {MAX_DEPTH} deep")
        inside = (item for outer in level for item in (outer.values() if isinstance(outer, dict) else outer))
        level = [item for item in inside if isinstance(item, dict | list)]


def _is_shallow(value: Any) -> bool:
    """Whether there are too few brackets to nest so deep, as in most objects: counting is many times quicker."""
    try:
        encoded = orjson.dumps(value)
    except orjson.JSONEncodeError:  # which gives up at a depth of its own
        return False
    return encoded.count(b"{") + encoded.count(b"[") <= MAX_DEPTH
