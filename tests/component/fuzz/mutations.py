"""Valid objects made wrong: any value at any level replaced by one of another type, dropped, doubled or nested deep.

The strategies draw where and how; what they give is a plain JSON value. Neighbours: `tests.support.samples`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]
_DEEP: Any = "x"
for _ in range(200):
    _DEEP = {"a": [_DEEP]}
ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**30, 0.5, 1e300, -0.0, "", "x", "0", "-1", "1e400",
    "9" * 400, "\x00", "\ud7ff\uffff", "\ud800", "á", "a" * 300, "../..", "{{}}", "1Ei", "100m", "25%", "-5%",
    "2026-01-01T00:00:00Z", "9999-99-99T99:99:99Z", "Always", "[", "(a+)+$", "::1", "300.1.1.1", "10.0.0.0/99",
    [], {}, [None], [[]], [{}], [1], ["x"], [{"name": None}], {"": ""}, {"x": None}, {"x": 1}, {"name": 1},
    {"matchLabels": None}, {"key": "a", "operator": "In", "values": None},
    {"$patch": "delete"}, {"$patch": 1}, [{"$patch": "replace"}], {"$retainKeys": ["a"]}, {"$retainKeys": 3}, _DEEP,
]  # fmt: skip


def places(value: Any, at: Path = ()) -> Iterator[Path]:
    """Where anything stands in a value, the whole not counted."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield (*at, key)
        yield from places(each, (*at, key))


def changed(value: Any, at: Path, how: str, odd: Any) -> Any:
    """A copy with one place changed: "replace", "drop", "add" (an unknown field) or "double" (lists; else replaced)."""
    whole = copy.deepcopy(value)
    parent = whole
    for key in at[:-1]:
        parent = parent[key]
    last = at[-1]
    if how == "drop":
        del parent[last]
    elif how == "add" and isinstance(parent, dict):
        parent["unknownField"] = odd
    elif how == "double" and isinstance(parent[last], list):
        parent[last] = parent[last] * 2
    else:
        parent[last] = odd
    return whole


@st.composite
def mutated(draw: st.DrawFn, obj: Any) -> Any:
    """An object with one to three things wrong."""
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(obj))
        if not found:
            break
        how = draw(st.sampled_from(["replace", "replace", "replace", "drop", "add", "double"]))
        obj = changed(obj, draw(st.sampled_from(found)), how, draw(st.sampled_from(ODD)))
    return obj
