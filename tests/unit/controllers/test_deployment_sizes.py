"""The arithmetic of rollouts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.controllers.deployment.sizes import (
    Limits,
    available_in,
    limits_of,
    replicas_of,
    rolling_sizes,
    scaled_sizes,
)
from skerry.kube.objects import Obj, name_of

from .builders import deployment, replica_set

MAX, DESIRED = "deployment.kubernetes.io/max-replicas", "deployment.kubernetes.io/desired-replicas"


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (10, "25%", "25%", (3, 2)),
        (4, "25%", "25%", (1, 1)),
        (1, "25%", "25%", (1, 0)),
        (3, 0, 0, (0, 1)),
        (3, "0%", "10%", (0, 1)),
        (2, 1, 5, (1, 2)),
        (0, "25%", "25%", (0, 0)),
    ],
)
def test_limits(replicas: int, surge: object, unavailable: object, expected: tuple[int, int]) -> None:
    limits = limits_of(deployment(replicas, surge=surge, unavailable=unavailable))
    assert (limits.surge, limits.unavailable) == expected


def step(limits: Limits, new: Obj, olds: list[Obj]) -> dict[str, int]:
    return rolling_sizes(limits, new, olds)


def test_surge_first_then_the_old_one_shrinks_as_the_new_gets_available() -> None:
    limits = Limits(wanted=3, surge=1, unavailable=0)
    assert step(limits, replica_set("new", 0), [replica_set("old", 3)]) == {"new": 1}
    assert step(limits, replica_set("new", 1, available=0), [replica_set("old", 3)]) == {}
    assert step(limits, replica_set("new", 1), [replica_set("old", 3)]) == {"old": 2}
    assert step(limits, replica_set("new", 1), [replica_set("old", 2)]) == {"new": 2}


def test_unavailable_old_pods_go_first() -> None:
    limits = Limits(wanted=10, surge=2, unavailable=2)
    olds = [replica_set("broken", 4, available=0, age=50), replica_set("good", 8, age=90)]
    sizes = step(limits, replica_set("new", 0), olds)
    assert sizes["broken"] == 0
    assert "good" not in sizes


@given(
    wanted=st.integers(0, 12), surge=st.integers(0, 4), unavailable=st.integers(0, 4),
    new=st.tuples(st.integers(0, 12), st.integers(0, 12)), old=st.tuples(st.integers(0, 12), st.integers(0, 12)),
)  # fmt: skip
def test_no_step_breaks_a_limit(
    wanted: int, surge: int, unavailable: int, new: tuple[int, int], old: tuple[int, int]
) -> None:
    limits = limits_of(deployment(wanted, surge=surge, unavailable=unavailable))
    current = replica_set("new", new[0], available=min(new))
    other = replica_set("old", old[0], available=min(old))
    sizes = step(limits, current, [other])
    after_new, after_old = sizes.get("new", replicas_of(current)), sizes.get("old", replicas_of(other))
    before = replicas_of(current) + replicas_of(other)
    assert after_new + after_old <= max(limits.maximum, before)
    assert after_old <= replicas_of(other)
    survivors = min(after_old, available_in(other)) + min(after_new, available_in(current))
    available = available_in(other) + available_in(current)
    assert survivors >= min(limits.minimum, available) or replicas_of(current) > wanted


@given(wanted=st.integers(1, 12), surge=st.integers(0, 4), unavailable=st.integers(0, 4), start=st.integers(0, 12))
def test_every_rollout_ends(wanted: int, surge: int, unavailable: int, start: int) -> None:
    limits = limits_of(deployment(wanted, surge=surge, unavailable=unavailable))
    sizes = {"new": 0, "old": start}
    for _ in range(200):
        changed = step(limits, replica_set("new", sizes["new"]), [replica_set("old", sizes["old"])])
        if not changed:
            break
        sizes |= changed
    assert sizes == {"new": wanted, "old": 0}


def test_scaling_shares_out_by_size() -> None:
    notes = {MAX: "13", DESIRED: "10"}
    old, new = replica_set("old", 8, annotations=notes, age=100), replica_set("new", 5, annotations=notes, available=0)
    assert scaled_sizes(Limits(15, 3, 2), True, new, [old]) == {"old": 11, "new": 7}
    assert scaled_sizes(Limits(5, 3, 2), True, new, [old]) == {"old": 5, "new": 3}


def test_scaling_one_set_and_a_finished_rollout() -> None:
    done = replica_set("new", 3, annotations={DESIRED: "3"})
    assert scaled_sizes(Limits(5, 1, 1), True, done, [replica_set("old", 0)]) == {"new": 5}
    assert scaled_sizes(Limits(3, 1, 1), True, done, [replica_set("old", 2)]) == {"old": 0}
    assert scaled_sizes(Limits(4, 1, 1), True, None, [replica_set("old", 0)]) == {"old": 4}
    assert scaled_sizes(Limits(4, 1, 1), True, None, []) == {}


@given(
    wanted=st.integers(0, 30), surge=st.integers(0, 5),
    sizes=st.lists(st.integers(1, 20), min_size=2, max_size=4),
)  # fmt: skip
def test_shares_add_up(wanted: int, surge: int, sizes: list[int]) -> None:
    notes = {MAX: str(sum(sizes)), DESIRED: "999"}
    sets = [replica_set(f"s{n}", size, annotations=notes, age=n) for n, size in enumerate(sizes)]
    changed = scaled_sizes(Limits(wanted, surge, 0), True, sets[0], sets[1:])
    total = sum(changed.get(name_of(one), replicas_of(one)) for one in sets)
    assert total == (wanted + surge if wanted else 0)
    assert all(size >= 0 for size in changed.values())


def test_pods_about_to_go_are_not_available_and_leave_no_room() -> None:
    limits = Limits(wanted=4, surge=1, unavailable=1)
    shrunk = replica_set("old", 3)
    shrunk["status"] = {**shrunk["status"], "replicas": 4, "availableReplicas": 4}  # before its controller has acted
    assert step(limits, replica_set("new", 1), [shrunk]) == {"old": 2}
    assert step(limits, replica_set("new", 1), [replica_set("old", 3)]) == {"new": 2, "old": 2}
