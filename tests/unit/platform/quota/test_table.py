"""What is counted of one namespace: never less than what the API holds, and exactly that when all is seen."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from skerry.kube.objects import Obj
from skerry.kube.quota.amounts import ZERO, Amounts
from skerry.kube.quota.usage import usage
from skerry.platform.projects.quota.table import LONGEST_WRITE, Table, Write

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HARD = Decimal(4)
NAMES = st.sampled_from(["a", "b", "c"])
CPUS = st.sampled_from([Decimal(1), Decimal(2), Decimal(3)])


def pod(name: str, uid: str, version: int, cpu: Decimal, phase: str = "Running") -> Obj:
    container = {"name": "main", "resources": {"requests": {"cpu": str(cpu)}}}
    return {
        "metadata": {"name": name, "uid": uid, "resourceVersion": str(version)},
        "spec": {"containers": [container]},
        "status": {"phase": phase},
    }


def cpu_of(uses: Amounts) -> Decimal:
    return uses.get("requests.cpu", ZERO).value


class Cluster(RuleBasedStateMachine):
    """An API server that asks before it writes, and a cache that lags behind it by any number of events."""

    admitted: Bundle[tuple[Obj, Obj | None]] = Bundle("admitted")

    def __init__(self) -> None:
        super().__init__()
        self.stored: dict[str, Obj] = {}
        self.events: deque[tuple[str, Obj | None]] = deque()
        self.pending: list[tuple[Obj, Obj | None]] = []
        self.version = self.number = 0
        self.steady = NOW
        self.table = Table("pods", (), NOW)

    def _ask(self, new: Obj, old: Obj | None) -> tuple[Obj, Obj | None]:
        metadata = new["metadata"]
        before = old["metadata"]["resourceVersion"] if old else ""
        used_before = usage("pods", old, NOW) if old else {}
        write = Write(metadata["name"], metadata["uid"], before, new, usage("pods", new, NOW), used_before)
        used = cpu_of(self.table.total(NOW))
        more = cpu_of(self.table.grows_by(write))
        if not more or used + more <= HARD:
            self.table.hold(write, self.steady)
            self.pending.append((new, old))
        return new, old

    @rule(target=admitted, name=NAMES, cpu=CPUS)
    def create(self, name: str, cpu: Decimal) -> tuple[Obj, Obj | None]:
        self.number += 1
        return self._ask(pod(name, f"uid-{self.number}", 0, cpu), None)

    @rule(target=admitted, name=NAMES, cpu=CPUS)
    def resize(self, name: str, cpu: Decimal) -> tuple[Obj, Obj | None]:
        old = self.stored.get(name)
        if old is None:
            return {}, None
        return self._ask(pod(name, old["metadata"]["uid"], 0, cpu), old)

    @rule(write=consumes(admitted))
    def store(self, write: tuple[Obj, Obj | None]) -> None:
        """As the API does: nothing over what is there, nothing on what has changed meanwhile."""
        if write not in self.pending:
            return
        self.pending.remove(write)
        new, old = write
        name = new["metadata"]["name"]
        if self.stored.get(name) == old:
            self._write(name, new)

    @rule(name=NAMES, phase=st.sampled_from(["Running", "Succeeded"]))
    def report(self, name: str, phase: str) -> None:
        """The node writes a status, about which nobody is asked."""
        if name in self.stored and self.stored[name]["status"]["phase"] != "Succeeded":
            self._write(name, {**self.stored[name], "status": {"phase": phase}})

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        if self.stored.pop(name, None) is not None:
            self.events.append((name, None))

    @rule()
    def show(self) -> None:
        """The cache sees one more event."""
        if self.events:
            name, obj = self.events.popleft()
            self.table.see(name, obj, NOW)

    @rule()
    def wait(self) -> None:
        """Time passes, and requests that took too long are over."""
        self.steady += LONGEST_WRITE + timedelta(seconds=1)
        self.pending.clear()
        for held in self.table.overdue(self.steady):
            self.table.settle(held, self.stored.get(held.write.name), self.steady)

    @invariant()
    def never_overshoots(self) -> None:
        assert self._truth() <= HARD

    @invariant()
    def counts_at_least_what_is_there(self) -> None:
        if not self.events:
            assert cpu_of(self.table.total(NOW)) >= self._truth()

    def teardown(self) -> None:
        """When all is seen and nothing is under way any more, what is counted is what is there."""
        while self.events:
            self.show()
        self.wait()
        assert cpu_of(self.table.total(NOW)) == self._truth()
        assert self.table.coming() == {}

    def _write(self, name: str, new: Obj) -> None:
        self.version += 1
        written = {**new, "metadata": {**new["metadata"], "resourceVersion": str(self.version)}}
        self.stored[name] = written
        self.events.append((name, written))

    def _truth(self) -> Decimal:
        return sum((cpu_of(usage("pods", one, NOW)) for one in self.stored.values()), Decimal(0))


TestCluster = Cluster.TestCase
TestCluster.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_what_was_admitted_counts_until_it_is_seen_or_cannot_come() -> None:
    table = Table("pods", (), NOW)
    for name in ("stored", "lost"):
        new = pod(name, f"uid-{name}", 0, Decimal(1))
        table.hold(Write(name, f"uid-{name}", "", new, usage("pods", new, NOW), {}), NOW)
    table.see("stored", pod("stored", "uid-stored", 1, Decimal(1)), NOW)
    assert cpu_of(table.total(NOW)) == 2
    assert cpu_of(table.coming()) == 1
    assert table.overdue(NOW) == []
    (late,) = table.overdue(NOW + LONGEST_WRITE)
    assert late.write.name == "lost"
    table.settle(late, None, NOW + LONGEST_WRITE)
    assert cpu_of(table.total(NOW)) == 1
    assert table.coming() == {}


def test_a_name_counts_once_the_most_of_its_states() -> None:
    table = Table("pods", [pod("a", "uid-1", 1, Decimal(3))], NOW)
    for uid in ("uid-2", "uid-3"):  # both will be told that it exists
        again = pod("a", uid, 0, Decimal(2))
        table.hold(Write("a", uid, "", again, usage("pods", again, NOW), {}), NOW)
    assert cpu_of(table.total(NOW)) == 3


def test_a_pod_past_its_grace_period_stops_counting_by_itself() -> None:
    leaving = pod("a", "uid-1", 1, Decimal(3))
    leaving["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30}
    table = Table("pods", [leaving], NOW)
    assert cpu_of(table.total(NOW + timedelta(seconds=30))) == 3
    assert cpu_of(table.total(NOW + timedelta(seconds=31))) == 0
    assert table.total(NOW + timedelta(seconds=31))["count/pods"].value == 1


def test_without_a_uid_a_new_object_under_the_name_is_taken_for_it() -> None:
    table = Table("pods", [pod("a", "uid-1", 1, Decimal(1))], NOW)
    new = pod("a", "", 0, Decimal(2))
    table.hold(Write("a", "", "", new, usage("pods", new, NOW), {}), NOW)
    table.see("a", pod("a", "uid-1", 2, Decimal(1)), NOW)
    assert cpu_of(table.total(NOW)) == 2
    table.see("a", None, NOW)
    table.see("a", pod("a", "uid-2", 3, Decimal(2)), NOW)
    assert table.coming() == {}
