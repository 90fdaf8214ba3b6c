"""The ledger counts every second once, whenever the process dies and whichever write is lost."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.kube.errors import Conflict
from skerry.kube.objects import Obj
from skerry.platform.usage.amounts import NOTHING, Amounts, together, total_of
from skerry.platform.usage.ledger.book import status_of_day
from skerry.platform.usage.ledger.ledger import Ledger
from skerry.platform.usage.metering.meter import Meter
from skerry.platform.usage.metering.spans import pod_span, used_between
from skerry.platform.usage.projects import Account
from skerry.platform.usage.types import USAGE_DAYS, Counters, tally_of
from tests.support.clock import SetClock
from tests.unit.platform.usage.api import Api, Breaking, BrokenApi, Told
from tests.unit.platform.usage.objects import BEGIN, NOON, namespace, pod

LIDAR = Account("lidar", "0123456789", BEGIN)
ANNA = ("lidar", "anna")


class World:
    """A cluster with one project, and a process that counts, dies and comes back."""

    def __init__(self) -> None:
        self.clock = SetClock(NOON)
        self.api = Api()
        self.pods: dict[str, Obj] = {}
        self.truth: dict[str, tuple[Obj, int | None]] = {}
        """All there ever were, and when each was deleted."""
        self.lost = False
        """Whether something was deleted that the process never got to count."""
        self._uncounted = False
        self.start()

    def start(self) -> None:
        """As after kill -9: nothing is known but what is in the API."""
        self.lost, self._uncounted = self.lost or self._uncounted, False
        self.meter, self.ledger = Meter(self.clock), Ledger(cast("Any", self.api))
        self.informer = Told(list(self.pods.values()))
        self.meter.watch_holders(cast("Any", self.informer), pod_span)
        self.meter.watch_namespaces(cast("Any", Told([namespace("lidar", "lidar")])))

    @property
    def now(self) -> int:
        return int((self.clock.now() - NOON).total_seconds())

    def begin(self, cpu: int) -> None:
        made = pod(f"pod-{len(self.truth)}", self.now, cpu=f"{cpu}m")
        self.truth[made["metadata"]["uid"]] = (made, None)
        self._set(made["metadata"]["uid"], made)

    def end(self, place: int) -> None:
        uid, present = self._choose(place)
        if present and present["status"]["phase"] == "Running":
            status = pod("", 0, self.now)["status"]
            ended = {**present, "status": {**status, "startTime": present["status"]["startTime"]}}
            self.truth[uid] = (ended, None)
            self._set(uid, ended)

    def delete(self, place: int) -> None:
        uid, present = self._choose(place)
        if present:
            self.truth[uid] = (present, BEGIN + self.now)
            self._uncounted = True
            self._set(uid, None)

    async def count(self, breaking: Breaking) -> None:
        """Dies at the write that breaks."""
        plan = iter([breaking])
        self.api.breaks = lambda: next(plan, "")
        until = BEGIN + self.now
        try:
            await self.ledger.add(LIDAR, lambda begin, end: self.meter.tally("lidar", begin, end), until, {}, {})
            self.meter.counted("lidar", until)
            self._uncounted = False
        except BrokenApi:
            self.api.breaks = lambda: ""
            self.start()

    def written(self) -> tuple[Amounts, int]:
        days = [status_of_day(one) for one in self.api.of(USAGE_DAYS)]
        reach = [int(one.counted_until.timestamp()) for one in days if one.counted_until]
        return total_of(together(*(tally_of(one) for one in days)).values()), max(reach, default=BEGIN)

    def true_until(self, until: int) -> Amounts:
        total = NOTHING
        for one, deleted in self.truth.values():
            span = pod_span(one)
            assert span is not None
            end = min(until, deleted) if deleted is not None else until
            total = total.plus(used_between(span, BEGIN, end))
        return total

    def _choose(self, place: int) -> tuple[str, Obj | None]:
        uids = sorted(self.pods)
        uid = uids[place % len(uids)] if uids else ""
        return uid, self.pods.get(uid)

    def _set(self, uid: str, new: Obj | None) -> None:
        old = self.pods.pop(uid, None)
        if new is not None:
            self.pods[uid] = new
        self.informer.tell(old, new)


_STEPS = st.one_of(
    st.tuples(st.just("begin"), st.integers(1, 4000)),
    st.tuples(st.sampled_from(["end", "delete"]), st.integers(0, 5)),
    st.tuples(st.just("pass"), st.integers(1, 200_000)),
    st.tuples(st.just("count"), st.sampled_from(["", "", "before", "after"])),
    st.tuples(st.just("die"), st.just(0)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_STEPS, max_size=30))
def test_every_second_counts_once_whatever_dies(steps: list[tuple[str, Any]]) -> None:
    async def run() -> None:
        world = World()
        for step, value in steps:
            if step == "pass":
                world.clock.advance(value)
            elif step == "count":
                await world.count(value)
            elif step == "die":
                world.start()
            else:
                getattr(world, step)(value)
            _judge(world)
        await world.count("")
        _judge(world)

    asyncio.run(run())


def _judge(world: World) -> None:
    written, until = world.written()
    true = world.true_until(until)
    if world.lost:
        assert all(one <= other for one, other in zip(written, true, strict=True))
    else:
        assert written == true


async def test_two_at_once_get_a_conflict_and_count_nothing_twice() -> None:
    world = World()
    world.begin(1000)
    await world.count("")
    other = Ledger(cast("Any", world.api))
    world.clock.advance(100)
    await world.count("")
    await other.book(LIDAR)
    world.clock.advance(100)
    await world.count("")
    with pytest.raises(Conflict):
        await other.add(LIDAR, lambda begin, end: {ANNA: Amounts(cpu=end - begin)}, BEGIN + 200, {}, {})
    assert world.written() == (Amounts(cpu=200_000, memory=200 * 1024), BEGIN + 200)


async def test_two_that_begin_at_once_count_nothing_twice() -> None:
    api = Api()
    one, other = Ledger(cast("Any", api)), Ledger(cast("Any", api))
    await other.book(LIDAR)
    for ledger in (one, other, other):
        with contextlib.suppress(Conflict):
            await ledger.add(LIDAR, lambda begin, end: {ANNA: Amounts(cpu=end - begin)}, BEGIN + 60, {}, {})
    (day,) = api.of(USAGE_DAYS)
    assert tally_of(status_of_day(day)) == {ANNA: Amounts(cpu=60)}


async def test_a_day_that_begins_takes_over_the_counters() -> None:
    api = Api()
    ledger = Ledger(cast("Any", api))
    evening = BEGIN + 11 * 3600
    first = {"pod-1": Counters(cpu_milliseconds=5, egress_bytes=7)}
    await ledger.add(LIDAR, lambda *_: {ANNA: Amounts(cpu=1)}, evening, {ANNA: Amounts(egress=7)}, first)
    then = {"pod-1": Counters(cpu_milliseconds=6, egress_bytes=9)}
    book = await ledger.add(LIDAR, lambda *_: {ANNA: Amounts(cpu=1)}, evening + 7200, {ANNA: Amounts(egress=2)}, then)
    days = {one["spec"]["day"]: one["status"] for one in api.of(USAGE_DAYS)}
    assert "counters" not in days["2026-11-20"]
    assert days["2026-11-20"]["countedUntil"] == "2026-11-21T00:00:00Z"
    assert days["2026-11-21"]["counters"] == {"pod-1": {"cpuMilliseconds": 6, "egressBytes": 9}}
    assert book.lifetime == Amounts(cpu=3, egress=9)
    assert (await Ledger(cast("Any", api)).book(LIDAR)) == book


async def test_a_project_of_the_same_name_begins_at_nothing() -> None:
    world = World()
    world.begin(1000)
    world.clock.advance(60)
    await world.count("")
    again = Account("lidar", "abcdef0123", BEGIN + 60)
    assert (await Ledger(cast("Any", world.api)).book(again)).lifetime == NOTHING


async def test_projects_of_the_past_are_read_when_they_are_needed() -> None:
    api = Api()
    radar = Account("radar", "9876543210", BEGIN)
    await Ledger(cast("Any", api)).add(LIDAR, lambda *_: {ANNA: Amounts(cpu=1)}, BEGIN + 60, {}, {})
    late = BEGIN + 50 * 86_400
    await Ledger(cast("Any", api)).add(radar, lambda *_: {ANNA: Amounts(cpu=1)}, late, {}, {})
    ledger = Ledger(cast("Any", api))
    assert (await ledger.book(radar)).lifetime == Amounts(cpu=51)
    assert ledger.known(LIDAR) is None
    assert (await ledger.book(LIDAR)).lifetime == Amounts(cpu=1)
    assert (await ledger.book(LIDAR)).counted_until == BEGIN + 60
    assert (await ledger.book(Account("sonar", "5555555555", late))).counted_until == late
