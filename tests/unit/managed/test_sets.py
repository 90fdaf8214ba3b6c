"""The algebra of field sets, against sets of paths."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.schema.managed.elements import MalformedSet, checked, item, ordered, shown, value
from skerry.engine.schema.managed.sets import (
    Set,
    covers,
    difference,
    disjoint,
    has,
    intersection,
    of_paths,
    paths,
    union,
    without,
)

Path = tuple[str, ...]
ELEMENTS = st.sampled_from(["f:a", "f:b", "f:c", 'k:{"name":"x"}', 'v:"x"'])
PATHS = st.frozensets(st.lists(ELEMENTS, min_size=1, max_size=4).map(tuple), max_size=8)


def made(members: frozenset[Path]) -> Set:
    return of_paths(sorted(members))


def members(of: Set) -> frozenset[Path]:
    return frozenset(paths(of))


@given(PATHS)
def test_a_set_has_the_paths_it_was_made_of(one: frozenset[Path]) -> None:
    assert members(made(one)) == one
    assert all(has(made(one), path) for path in one)
    assert checked(ordered(made(one))) == made(one)


@given(PATHS, PATHS)
def test_operations_are_those_of_sets_of_paths(one: frozenset[Path], other: frozenset[Path]) -> None:
    first, second = made(one), made(other)
    assert members(union(first, second)) == one | other
    assert members(intersection(first, second)) == one & other
    assert members(difference(first, second)) == one - other
    assert covers(first, second) is (one >= other)
    assert disjoint(first, second) is not bool(one & other)
    below = {path for path in one if any(path[: len(other_path)] == other_path for other_path in other)}
    assert members(without(first, second)) == one - below
    assert (first, second) == (made(one), made(other))


@given(PATHS, PATHS)
def test_results_are_canonical(one: frozenset[Path], other: frozenset[Path]) -> None:
    for made_of, result in (
        (one | other, union(made(one), made(other))),
        (one & other, intersection(made(one), made(other))),
        (one - other, difference(made(one), made(other))),
    ):
        assert result == made(frozenset(made_of))


def test_paths_are_shown_as_kubernetes_writes_them() -> None:
    path = ("f:spec", "f:containers", item([("containerPort", 80), ("protocol", "TCP")]), "f:name")
    assert shown(path) == '.spec.containers[containerPort=80,protocol="TCP"].name'
    assert shown(("f:metadata", "f:finalizers", value("a/b"))) == '.metadata.finalizers[="a/b"]'


def test_values_are_written_as_go_writes_json() -> None:
    assert value("<a&b>") == 'v:"\\u003ca\\u0026b\\u003e"'


@given(st.recursive(st.none() | st.integers(), lambda inner: st.dictionaries(st.text(max_size=6), inner, max_size=3)))
def test_what_clients_write_is_read_or_refused(given_set: object) -> None:
    with contextlib.suppress(MalformedSet):
        assert checked(checked(given_set)) == checked(given_set)
