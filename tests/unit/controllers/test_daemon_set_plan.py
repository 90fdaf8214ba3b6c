"""What a DaemonSet does next: on which nodes, what an update takes down, status; and laws of any rollout."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.engine.controllers.daemonset.nodes import Fit, fit
from skerry.engine.controllers.daemonset.plan import Plan, Situation, manage, situation_of
from skerry.engine.controllers.daemonset.pods import build_pod, is_updated, target_node, tolerant_spec
from skerry.engine.controllers.daemonset.rolling import limits_of, roll
from skerry.engine.controllers.daemonset.status import daemon_set_status, seconds_until_next_available
from skerry.engine.controllers.failed_pods import FailedPods
from skerry.kube.objects import Obj, is_deleting, name_of

from .builders import NOW, ago, node
from .sets import daemon, daemon_set

NODES = ("a", "b", "c")


def situation(owner: Obj, pods: Sequence[Obj], nodes: Sequence[Obj] | None = None) -> Situation:
    nodes = [node(name) for name in NODES] if nodes is None else nodes
    return situation_of(owner, "new", nodes, pods, NOW)


def summary(plan: Plan) -> tuple[list[str], list[str]]:
    return sorted(plan.create), sorted(name_of(pod) for pod in plan.delete)


def at_once(_: str) -> float:
    return 0.0


TAINT = {"key": "team", "value": "x", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("pod", "target", "expected"),
    [
        ({}, node("a"), Fit(True, True)),
        ({"nodeName": "b"}, node("a"), Fit(False, False)),
        ({"nodeName": "a"}, node("a"), Fit(True, True)),
        ({"nodeSelector": {"disk": "fast"}}, node("a"), Fit(False, False)),
        ({"nodeSelector": {"disk": "fast"}}, node("a", labels={"disk": "fast"}), Fit(True, True)),
        ({}, node("a", taints=[TAINT]), Fit(False, True)),
        ({}, node("a", taints=[{**TAINT, "effect": "NoExecute"}]), Fit(False, False)),
        ({}, node("a", taints=[{**TAINT, "effect": "PreferNoSchedule"}]), Fit(True, True)),
        ({"tolerations": [{"operator": "Exists"}]}, node("a", taints=[TAINT]), Fit(True, True)),
        ({}, node("a", taints=[{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}]), Fit(True, True)),
        ({}, node("a", taints=[{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]), Fit(True, True)),
        (
            {},
            node("a", taints=[{"key": "node.kubernetes.io/network-unavailable", "effect": "NoSchedule"}]),
            Fit(False, True),
        ),
        (
            {"hostNetwork": True},
            node("a", taints=[{"key": "node.kubernetes.io/network-unavailable", "effect": "NoSchedule"}]),
            Fit(True, True),
        ),
    ],
)
def test_which_nodes(pod: Obj, target: Obj, expected: Fit) -> None:
    assert fit(tolerant_spec(daemon_set(pod=pod)), target) == expected


def test_the_pod_of_a_node() -> None:
    preferred = [{"weight": 1, "preference": {"matchExpressions": []}}]
    required = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "Exists"}]}]}
    affinity = {"nodeAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": preferred,
        "requiredDuringSchedulingIgnoredDuringExecution": required,
    }}  # fmt: skip
    owner = daemon_set(pod={"affinity": affinity})
    owner["metadata"]["annotations"] = {"deprecated.daemonset.template.generation": "4"}
    made = build_pod(owner, "abc", "b")
    assert target_node(made) == "b"
    bound = made["spec"]["affinity"]["nodeAffinity"]
    assert bound["preferredDuringSchedulingIgnoredDuringExecution"] == preferred
    assert bound["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"] == [
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["b"]}]}
    ]
    assert made["metadata"]["labels"] == {
        "app": "agent", "controller-revision-hash": "abc", "pod-template-generation": "4",
    }  # fmt: skip
    assert is_updated(owner, "abc", made)
    assert is_updated(owner, "other", made), "the generation says so, too"
    assert owner["spec"]["template"]["spec"]["affinity"] == affinity, "shared objects stay as they are"


@pytest.mark.parametrize(
    ("pods", "create", "delete"),
    [
        ([], ["a", "b", "c"], []),
        ([daemon("a"), daemon("b", "old")], ["c"], []),
        ([daemon("a"), daemon("b"), daemon("c"), daemon("gone")], [], []),
        ([daemon("a"), daemon("b"), daemon("c", deleting=True)], [], []),
        ([daemon("a"), daemon("b"), daemon("c", phase="Failed")], [], ["agent-c-new"]),
        ([daemon("a"), daemon("b"), daemon("c", phase="Succeeded")], [], ["agent-c-new"]),
        ([daemon("a"), daemon("b"), daemon("c", phase="Failed", deleting=True)], ["c"], []),
        ([daemon("a"), daemon("b"), daemon("c", age=9), daemon("c", "old", age=90)], [], ["agent-c-new"]),
    ],
)
def test_one_pod_per_node(pods: list[Obj], create: list[str], delete: list[str]) -> None:
    assert summary(manage(situation(daemon_set(), pods), at_once)) == (create, delete)


def test_where_a_pod_should_not_be() -> None:
    nodes = [node("a", taints=[TAINT]), node("b", taints=[{**TAINT, "effect": "NoExecute"}])]
    pods = [daemon("a"), daemon("b")]
    assert summary(manage(situation(daemon_set(), pods, nodes), at_once)) == ([], ["agent-b-new"])


def test_a_pod_bound_to_a_node_that_is_gone_is_not_ours_to_delete_but_one_that_waits_for_it_is() -> None:
    waiting = build_pod(daemon_set(), "new", "gone")
    waiting["metadata"]["name"] = "waits"
    plan = manage(situation(daemon_set(), [waiting, daemon("gone")], []), at_once)
    assert summary(plan) == ([], ["waits"])


def test_failed_pods_are_not_replaced_faster_than_the_back_off() -> None:
    pods = [daemon("a"), daemon("b"), daemon("c", phase="Failed")]
    plan = manage(situation(daemon_set(), pods), lambda name: 3.0 if name == "c" else 0.0)
    assert (summary(plan), plan.wait) == (([], []), [3.0])


def test_the_back_off_doubles_up_to_a_quarter_of_an_hour_and_is_forgotten() -> None:
    failed, now = FailedPods(900), NOW
    delays = []
    for _ in range(12):
        failed.deleted("ns/agent", "a", now)
        delays.append(failed.delay("ns/agent", "a", now))
        now += timedelta(seconds=delays[-1])
        assert failed.delay("ns/agent", "a", now) == 0
    assert delays[:4] == [1, 2, 4, 8]
    assert delays[-1] == 900
    failed.deleted("ns/agent", "a", now + timedelta(hours=2))
    assert failed.delay("ns/agent", "a", now + timedelta(hours=2)) == 1
    assert failed.delay("ns/agent", "b", now) == 0
    failed.forget("ns/agent")
    assert failed.delay("ns/agent", "a", now) == 0


@pytest.mark.parametrize(
    ("surge", "unavailable", "count", "expected"),
    [(0, 1, 3, (0, 1)), (0, "50%", 3, (0, 2)), ("10%", 0, 3, (1, 0)), ("0%", 0, 3, (0, 1)), (0, "1%", 0, (0, 0))],
)
def test_limits(surge: Any, unavailable: Any, count: int, expected: tuple[int, int]) -> None:
    nodes = [node(str(number)) for number in range(count)]
    found = limits_of(situation(daemon_set(surge=surge, unavailable=unavailable), [], nodes))
    assert (found.surge, found.unavailable) == expected


@pytest.mark.parametrize(
    ("pods", "delete"),
    [
        ([daemon(name, "old") for name in NODES], ["agent-a-old"]),
        ([daemon("a"), daemon("b", "old"), daemon("c", "old")], ["agent-b-old"]),
        ([daemon("a", ready=False), daemon("b", "old"), daemon("c", "old")], []),
        ([daemon("a"), daemon("b", "old", deleting=True), daemon("c", "old")], []),
        ([daemon("a"), daemon("b", "old", ready=False), daemon("c", "old")], ["agent-b-old", "agent-c-old"]),
        ([daemon("a"), daemon("c", "old")], []),
        ([daemon(name) for name in NODES], []),
    ],
)
def test_an_update_without_surge(pods: list[Obj], delete: list[str]) -> None:
    assert summary(roll(situation(daemon_set(), pods))) == ([], delete)


@pytest.mark.parametrize(
    ("pods", "create", "delete"),
    [
        ([daemon(name, "old") for name in NODES], ["a"], []),
        ([daemon("a", "old"), daemon("a", ready=False), daemon("b", "old"), daemon("c", "old")], [], []),
        ([daemon("a", "old"), daemon("a"), daemon("b", "old"), daemon("c", "old")], ["b"], ["agent-a-old"]),
        ([daemon("a", "old", ready=False), daemon("b", "old"), daemon("c", "old")], ["a", "b"], []),
        ([daemon(name) for name in NODES], [], []),
    ],
)
def test_an_update_with_surge(pods: list[Obj], create: list[str], delete: list[str]) -> None:
    assert summary(roll(situation(daemon_set(surge=1, unavailable=0), pods))) == (create, delete)


def test_two_pods_on_a_node_while_surging() -> None:
    owner = daemon_set(surge=1, unavailable=0)
    both = [daemon("a", "old"), daemon("a", ready=False), daemon("b"), daemon("c")]
    assert summary(manage(situation(owner, both), at_once)) == ([], [])
    broken = [daemon("a", "old", ready=False), daemon("a", ready=False), daemon("b"), daemon("c")]
    assert summary(manage(situation(owner, broken), at_once)) == ([], ["agent-a-old"])
    leaving = [daemon("a", "old", deleting=True), daemon("b"), daemon("c")]
    assert summary(manage(situation(owner, leaving), at_once)) == (["a"], [])


def test_status() -> None:
    nodes = [*(node(name) for name in NODES), node("d", taints=[TAINT])]
    pods = [daemon("a"), daemon("b", "old", ready_for=5), daemon("d")]
    owner = daemon_set(minReadySeconds=10)
    owner["status"] = {"conditions": [{"type": "Mine"}]}
    now = situation(owner, pods, nodes)
    assert daemon_set_status(now, 0) == {
        "currentNumberScheduled": 2,
        "numberMisscheduled": 1,
        "desiredNumberScheduled": 3,
        "numberReady": 2,
        "updatedNumberScheduled": 1,
        "numberAvailable": 1,
        "numberUnavailable": 2,
        "observedGeneration": 1,
        "conditions": [{"type": "Mine"}],
    }
    assert seconds_until_next_available(now) == 5
    assert daemon_set_status(situation(daemon_set(), [], []), 2) == {
        "currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0,
        "observedGeneration": 1, "collisionCount": 2,
    }  # fmt: skip


class Nodes:
    """Nodes that obey; chance says when a pod gets ready and when one is gone."""

    def __init__(self, owner: Obj, count: int) -> None:
        self.owner = owner
        self.nodes = [node(f"n{number}") for number in range(count)]
        self.pods = [daemon(name_of(one), "old") for one in self.nodes]
        self._made = 0

    def step(self) -> None:
        now = situation(self.owner, self.pods, self.nodes)
        plan = manage(now, at_once)
        self._obey(plan if not plan.is_empty else roll(now))

    def _obey(self, plan: Plan) -> None:
        for target in plan.create:
            self._made += 1
            self.pods.append(daemon(target, ready=False, name=f"agent-{self._made}"))
        gone = {name_of(pod) for pod in plan.delete}
        for index, pod in enumerate(self.pods):
            if name_of(pod) in gone:
                self.pods[index] = {**pod, "metadata": {**pod["metadata"], "deletionTimestamp": ago(0)}}

    def go_on(self, index: int) -> None:
        if not self.pods:
            return
        pod = self.pods[index % len(self.pods)]
        if is_deleting(pod):
            self.pods.remove(pod)
        else:
            pod["status"]["conditions"][0]["status"] = "True"

    def served(self) -> int:
        ready = [
            pod for pod in self.pods if pod["status"]["conditions"][0]["status"] == "True" and not is_deleting(pod)
        ]
        return len({pod["spec"]["nodeName"] for pod in ready})


@settings(max_examples=100, deadline=None)
@given(
    count=st.integers(1, 6),
    limits=st.sampled_from([(0, 1), (0, 2), (1, 0), (2, 0)]),
    chance=st.lists(st.integers(0, 11), max_size=60),
)
def test_an_update_keeps_within_its_limits_and_ends(count: int, limits: tuple[int, int], chance: list[int]) -> None:
    surge, unavailable = limits
    nodes = Nodes(daemon_set(surge=surge, unavailable=unavailable), count)
    for index in [*chance, *list(range(12)) * 12]:
        nodes.step()
        assert nodes.served() >= count - unavailable
        assert len([pod for pod in nodes.pods if not is_deleting(pod)]) <= count + surge
        nodes.go_on(index)
    assert sorted(pod["spec"]["nodeName"] for pod in nodes.pods) == [name_of(one) for one in nodes.nodes]
    assert all(pod["metadata"]["labels"]["controller-revision-hash"] == "new" for pod in nodes.pods)
