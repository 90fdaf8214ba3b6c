"""Who holds what, since when."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.kube.objects import Obj
from skerry.kube.quota.usage import is_gpu
from skerry.platform.usage.amounts import OTHERS, Amounts, bounded, total_of
from skerry.platform.usage.metering.meter import Meter
from skerry.platform.usage.metering.spans import claim_span, pod_span, used_between
from tests.support.clock import SetClock
from tests.unit.platform.usage.api import Told
from tests.unit.platform.usage.objects import BEGIN, NOON, at, claim, namespace, pod

ANNA = ("lidar", "anna")


class World:
    """What a meter is told, an hour after noon unless the clock is moved."""

    def __init__(self) -> None:
        self.clock = SetClock(NOON)
        self.meter = Meter(self.clock)
        self.changed: list[str] = []
        self.meter.on_change(self.changed.append)
        self.namespaces, self.pods, self.claims = Told([namespace("lidar", "lidar")]), Told(), Told()
        self.meter.watch_namespaces(cast("Any", self.namespaces))
        self.meter.watch_holders(cast("Any", self.pods), pod_span)
        self.meter.watch_holders(cast("Any", self.claims), claim_span)

    def used(self, project: str = "lidar", until: int = 86_400) -> Amounts:
        return total_of(self.meter.tally(project, BEGIN, BEGIN + until).values())


def test_a_pod_counts_from_its_start_to_its_end() -> None:
    world = World()
    world.pods.tell(None, pod("one", None))
    assert not world.meter.is_active("lidar")
    world.pods.tell(pod("one", None), pod("one", 10))
    assert world.meter.goes_on("lidar")
    assert world.meter.tally("lidar", BEGIN, BEGIN + 110) == {ANNA: Amounts(cpu=100_000, memory=100 * 1024)}
    world.pods.tell(pod("one", 10), pod("one", 10, 40))
    assert world.used().cpu == 30_000
    assert not world.meter.goes_on("lidar")
    ended = [
        world.meter.has_ended("lidar", BEGIN + after, BEGIN + until) for after, until in ((0, 39), (39, 40), (40, 90))
    ]
    assert ended == [False, True, False]
    world.clock.advance(3600)
    world.pods.tell(pod("one", 10, 40), None)
    assert world.used().cpu == 30_000
    world.meter.counted("lidar", BEGIN + 40)
    assert not world.meter.is_active("lidar")
    assert world.changed == ["lidar"] * 4


def test_what_began_in_the_second_that_was_counted_to_is_counted_soon() -> None:
    """Nothing of it is written yet, and the next time would come minutes later."""
    world = World()
    world.pods.tell(None, pod("one", 10))
    unsettled = [world.meter.is_unsettled("lidar", BEGIN + counted, BEGIN + 12) for counted in (9, 10, 11)]
    assert unsettled == [True, True, False]
    assert not world.meter.is_unsettled("lidar", BEGIN + 8, BEGIN + 9), "it is yet to begin"


def test_one_that_is_resized_counts_as_it_was_and_as_it_is() -> None:
    world = World()
    world.pods.tell(None, pod("one", 0))
    world.clock.advance(100)
    world.pods.tell(pod("one", 0), pod("one", 0, cpu="3"))
    assert world.used(until=200).cpu == 100 * 1000 + 100 * 3000


def test_a_claim_counts_once_it_has_a_volume() -> None:
    world = World()
    world.claims.tell(None, claim("data", 0, phase="Pending"))
    world.clock.advance(50)
    world.claims.tell(claim("data", 0, phase="Pending"), claim("data", 0, "2Gi"))
    world.clock.advance(50)
    world.claims.tell(claim("data", 0, "2Gi"), claim("data", 0, "3Gi"))
    assert world.used(until=200).storage == 50 * 2048 + 100 * 3072
    known_from_the_start = claim_span(claim("data", 0, "2Gi"))
    assert known_from_the_start is not None
    assert known_from_the_start.begin == BEGIN


def test_a_namespace_that_changes_hands_is_settled_with_both() -> None:
    world = World()
    world.pods.tell(None, pod("one", 0))
    world.clock.advance(100)
    world.namespaces.tell(namespace("lidar", "lidar"), namespace("lidar", "radar"))
    assert world.used("lidar", 300).cpu == 100 * 1000
    assert world.used("radar", 300).cpu == 200 * 1000
    world.namespaces.tell(namespace("lidar", "radar"), namespace("lidar"))
    assert not world.meter.goes_on("radar")
    world.clock.advance(100)
    world.namespaces.tell(namespace("lidar"), namespace("lidar", "sonar"))
    assert world.used("sonar", 300).cpu == 100 * 1000


@pytest.mark.parametrize("namespace_first", [True, False])
def test_what_a_namespace_takes_with_it_counts_until_then(namespace_first: bool) -> None:
    world = World()
    world.pods.tell(None, pod("one", 0))
    world.clock.advance(100)
    if namespace_first:
        world.namespaces.tell(namespace("lidar", "lidar"), None)
        world.pods.tell(pod("one", 0), None)
    else:
        world.pods.tell(pod("one", 0), None)
        world.namespaces.tell(namespace("lidar", "lidar"), None)
    assert world.used(until=300).cpu == 100 * 1000
    assert world.meter.namespaces("lidar") == frozenset()


def test_an_evicted_pod_whose_containers_never_ran_ends_with_its_conditions() -> None:
    evicted = pod("one", 0)
    condition = {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": at(20)}
    evicted["status"] |= {"phase": "Failed", "conditions": [condition]}
    span = pod_span(evicted)
    assert span is not None
    assert used_between(span, 0, BEGIN + 500).cpu == 20_000


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("nvidia.com/gpu", True),
        ("gpu.intel.com/i915", True),
        ("nvidia.com/mig-1g.5gb", True),
        ("cpu", False),
        ("example.org/fpga", False),
    ],
)
def test_what_a_gpu_is(resource: str, expected: bool) -> None:
    assert is_gpu(resource) is expected


def test_gpus_are_counted() -> None:
    span = pod_span(pod("one", 0, **{"nvidia.com/gpu": "2"}))
    assert span is not None
    assert used_between(span, BEGIN, BEGIN + 10).gpu == 20


@given(st.integers(0, 1000), st.integers(0, 1000), st.lists(st.integers(0, 2000), min_size=2, max_size=6))
def test_parts_of_a_time_make_the_whole_of_it(begin: int, length: int, cuts: list[int]) -> None:
    span = pod_span(pod("one", begin, begin + length))
    assert span is not None
    cuts = sorted(BEGIN + cut for cut in cuts)
    parts = [used_between(span, one, other) for one, other in pairwise(cuts)]
    assert total_of(parts) == used_between(span, cuts[0], cuts[-1])


@given(st.dictionaries(st.tuples(st.text(max_size=2), st.text(max_size=2)), st.integers(0, 100), max_size=30))
def test_too_many_entries_become_fewer_with_the_same_sum(amounts: dict[tuple[str, str], int]) -> None:
    tally = {who: Amounts(cpu=cpu) for who, cpu in amounts.items()}
    fewer = bounded(tally, 5)
    assert len(fewer) <= 5
    assert total_of(fewer.values()) == total_of(tally.values())
    kept = [one.cpu for who, one in fewer.items() if who != OTHERS]
    left_out = [one.cpu for who, one in tally.items() if who not in fewer]
    assert not left_out or not kept or min(kept) >= max(left_out)


def test_objects_are_left_alone() -> None:
    world, told = World(), pod("one", 0)
    before: Obj = {**told}
    world.pods.tell(None, told)
    assert told == before
