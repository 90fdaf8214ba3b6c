"""The order of a merged list: the patch's own elements as its author ordered them, the others where they stood.

Source: strategicpatch `normalizeElementOrder` and `mergeSortedSlice`. Invariant: no element is lost or repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson


def identity(value: Any) -> Any:
    """Something hashable that is equal for equal JSON values."""
    return orjson.dumps(value) if isinstance(value, dict | list) else value


def ordered(current: list[Any], order: list[Any], key_of: Callable[[Any], Any]) -> list[Any]:
    """`current` with the elements `order` names in that order; each other one before the first named element that it
    used to precede."""
    rank: dict[Any, int] = {}
    for value in order:
        rank.setdefault(identity(value), len(rank))
    ranks = [rank.get(identity(key_of(item))) for item in current]
    mine = [place for _, place in sorted((known, place) for place, known in enumerate(ranks) if known is not None)]
    result: list[int] = []
    at = 0
    for place in (place for place, known in enumerate(ranks) if known is None):
        while at < len(mine) and mine[at] < place:
            result.append(mine[at])
            at += 1
        result.append(place)
    result += mine[at:]
    return [current[place] for place in result]
