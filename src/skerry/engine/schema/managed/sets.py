"""Field sets, kept as FieldsV1 has them, so that reading and writing `managedFields` converts nothing.

A set is a dictionary from path elements ("f:spec", `k:{"name":"web"}`, `v:"x"`) to the sets below them. A path is a
member when its set is empty or has the entry "."; below what is no member there is always one. Sets are shared: no
function here changes its arguments. Source: structured-merge-diff `fieldpath/set.go`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

Set: TypeAlias = dict[str, Any]
"""A field set. Its values are sets again."""

SELF = "."
MEMBER: Set = {}
"""A path that is a member and has nothing below it; shared."""


def is_member(below: Set) -> bool:
    """Whether the path that leads to this set is itself a member."""
    return not below or SELF in below


def as_member(below: Set) -> Set:
    """The same set, its own path a member too."""
    return below if is_member(below) else {SELF: MEMBER, **below}


def children(below: Set) -> Set:
    """The set without its own path."""
    return {key: child for key, child in below.items() if key != SELF} if SELF in below else below


def union(one: Set, other: Set) -> Set:
    """What is in either."""
    if not one or not other:
        return one or other
    result = dict(one)
    for key, below in other.items():
        mine = result.get(key)
        result[key] = below if mine is None else _both(mine, below)
    return result


def _both(one: Set, other: Set) -> Set:
    if one is other or one == other:
        return one
    below = union(children(one), children(other))
    return as_member(below) if is_member(one) or is_member(other) else below


def intersection(one: Set, other: Set) -> Set:
    """What is in both."""
    result = {}
    for key, below in one.items():
        theirs = other.get(key)
        if theirs is None or key == SELF:
            continue
        common = intersection(below, theirs)
        if is_member(below) and is_member(theirs):
            result[key] = as_member(common)
        elif common:
            result[key] = common
    return result


def difference(one: Set, other: Set) -> Set:
    """What is in the first only, path by path: taking away a path leaves what is below it."""
    result = {}
    for key, below in one.items():
        theirs = other.get(key)
        if theirs is None or key == SELF:
            result[key] = below
            continue
        left = difference(children(below), children(theirs))
        if is_member(below) and not is_member(theirs):
            result[key] = as_member(left)
        elif left:
            result[key] = left
    return result


def without(one: Set, other: Set) -> Set:
    """What is in the first and not at or below a path of the second."""
    result = {}
    for key, below in one.items():
        theirs = other.get(key)
        if theirs is None:
            result[key] = below
        elif not is_member(theirs):
            left = without(children(below), theirs)
            if is_member(below):
                result[key] = as_member(left)
            elif left:
                result[key] = left
    return result


def has(one: Set, path: tuple[str, ...]) -> bool:
    """Whether a path is a member."""
    for key in path:
        below = one.get(key)
        if below is None or key == SELF:
            return False
        one = below
    return bool(path) and is_member(one)


def paths(one: Set, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every member, those of one level before what is below them."""
    for key, below in one.items():
        if key != SELF and is_member(below):
            yield (*prefix, key)
    for key, below in one.items():
        if key != SELF:
            yield from paths(below, (*prefix, key))


def of_paths(members: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> Set:
    """The set of these paths."""
    result: Set = {}
    for path in members:
        single: Set = MEMBER
        for key in reversed(path):
            single = {key: single}
        result = union(result, single)
    return result


def disjoint(one: Set, other: Set) -> bool:
    """Whether no path is in both."""
    for key, below in other.items():
        mine = one.get(key)
        if mine is None or key == SELF:
            continue
        if (is_member(mine) and is_member(below)) or not disjoint(mine, below):
            return False
    return True


def covers(one: Set, other: Set) -> bool:
    """Whether all of the second set is in the first."""
    for key, below in other.items():
        mine = one.get(key)
        if mine is None:
            return False
        if (
            key != SELF
            and below is not mine
            and not ((not is_member(below) or is_member(mine)) and covers(mine, below))
        ):
            return False
    return True
