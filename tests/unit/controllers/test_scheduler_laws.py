"""What always holds of the scheduler, whatever comes in which order."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.engine.controllers.scheduler.cluster import Cluster
from skerry.engine.controllers.scheduler.decide import Placement, decide
from skerry.engine.controllers.scheduler.preemption import Preemption, preempt, split_by_budgets
from skerry.engine.controllers.scheduler.ranking import Rankings
from skerry.engine.controllers.scheduler.templates import PodFacts, facts_of
from skerry.kube.objects import Obj

from .builders import node, pod

ZONE = "zone"
WEB = {"app": "web"}


def asking(name: str, cpu: int, priority: int = 0, **spec: Any) -> PodFacts:
    containers = [{"name": "app", "resources": {"requests": {"cpu": str(cpu)}}}]
    return facts_of(pod(name, node="", labels=WEB, spec={"containers": containers, "priority": priority, **spec}))


def cluster_of(sizes: list[int]) -> Cluster:
    cluster = Cluster()
    for index, cpu in enumerate(sizes):
        cluster.set_node(node(f"n{index}", labels={ZONE: f"z{index % 2}", "host": f"n{index}"}, cpu=str(cpu)))
    return cluster


def used(cluster: Cluster, name: str) -> int:
    state = cluster.state(name)
    assert state is not None
    return sum(one.template.requests.get("cpu", 0) for one in state.pods.values())


RULES: st.SearchStrategy[Obj] = st.sampled_from(
    [
        {},
        {"nodeSelector": {ZONE: "z1"}},
        {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 7, "preference": {"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["z0"]}]}},
        ]}}},
        {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "host", "labelSelector": {"matchLabels": WEB}},
        ]}}},
        {"topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule",
             "labelSelector": {"matchLabels": WEB}},
        ]},
        {"topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "host", "whenUnsatisfiable": "ScheduleAnyway",
             "labelSelector": {"matchLabels": WEB}},
        ]},
    ]
)  # fmt: skip
SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=5)
PODS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), RULES, st.booleans()), max_size=25)


@given(SIZES, PODS)
@settings(max_examples=150, deadline=None)
def test_what_is_remembered_is_what_would_be_found_afresh(sizes: list[int], pods: Any) -> None:
    """Nothing is overcommitted; a decision from kept rankings and counts is possible exactly when a fresh one is."""
    cluster = cluster_of(sizes)
    kept = Rankings(cluster)
    for index, (cpu, priority, spec, leaves) in enumerate(pods):
        facts = asking(f"p{index}", cpu, priority, **spec)
        decision, fresh = decide(facts, kept), decide(facts, Rankings(cluster))
        assert isinstance(decision, Placement) == isinstance(fresh, Placement)
        if isinstance(decision, Placement):
            cluster.assume(facts, decision.node)
        else:
            assert decision.message == getattr(fresh, "message", None)
        if leaves:
            cluster.remove(f"uid-p{index // 2}")
        for number, size in enumerate(sizes):
            assert used(cluster, f"n{number}") <= 1000 * size


@given(SIZES, PODS)
@settings(max_examples=150, deadline=None)
def test_only_less_important_pods_go_and_then_there_is_room(sizes: list[int], pods: Any) -> None:
    cluster = cluster_of(sizes)
    rankings = Rankings(cluster)
    for index, (cpu, priority, spec, _) in enumerate(pods):
        facts = asking(f"p{index}", cpu, priority, **spec)
        decision = decide(facts, rankings)
        if isinstance(decision, Placement):
            cluster.assume(facts, decision.node)
            continue
        plan = preempt(facts, rankings, decision, [])
        if not isinstance(plan, Preemption):
            continue
        assert plan.victims
        assert all(victim.priority < priority for victim in plan.victims)
        needed_all(cluster, facts, plan)
        for victim in plan.victims:
            cluster.remove(victim.uid)
        cluster.nominate(facts, plan.node)
        again = decide(facts, rankings)
        assert again == Placement(plan.node)
        cluster.nominate(facts, "")
        cluster.assume(facts, plan.node)


def needed_all(cluster: Cluster, facts: PodFacts, plan: Preemption) -> None:
    """Where only room matters the last victim is not spared for nothing."""
    if facts.template.is_social:
        return
    state = cluster.state(plan.node)
    assert state is not None
    trial = state.copy()
    for victim in plan.victims[1:]:
        trial.take_out(victim.uid)
    free = trial.allocatable["cpu"] - trial.used["cpu"]
    social = any(one.template.is_social for one in state.pods.values())
    assert social or facts.template.requests.get("cpu", 0) > free


@given(st.lists(st.integers(0, 1), min_size=1, max_size=20))
@settings(deadline=None)
def test_the_skew_holds(choices: list[int]) -> None:
    rule = {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule"}
    rule["labelSelector"] = {"matchLabels": WEB}
    cluster = cluster_of([100, 100, 100])
    rankings = Rankings(cluster)
    for index, _ in enumerate(choices):
        facts = asking(f"p{index}", 1, topologySpreadConstraints=[rule])
        decision = decide(facts, rankings)
        assert isinstance(decision, Placement)
        cluster.assume(facts, decision.node)
        counts = Counter({"z0": 0, "z1": 0})
        for state in cluster.nodes():
            counts[state.labels[ZONE]] += len(state.pods)
        assert max(counts.values()) - min(counts.values()) <= 1


@given(st.integers(0, 5), st.integers(1, 4))
def test_room_that_is_kept_is_taken_only_by_more_important_pods(priority: int, cpu: int) -> None:
    cluster = cluster_of([4])
    cluster.nominate(asking("waiting", 4, 3), "n0")
    decision = decide(asking("new", cpu, priority), Rankings(cluster))
    assert isinstance(decision, Placement) is (priority > 3)


def test_nodes_are_chosen_by_what_going_costs() -> None:
    """Budgets first, then the least important victims, then the fewest, then those that started last."""
    cluster = cluster_of([4, 4, 4])
    for name, place, priority, started in (("a", "n0", 2, "1"), ("b", "n1", 1, "1"), ("c", "n2", 1, "2")):
        facts = asking(name, 4, priority)
        facts.pod["status"]["startTime"] = f"2026-01-01T00:00:0{started}Z"
        cluster.assume(facts, place)
    rankings = Rankings(cluster)
    new = asking("new", 4, 9)
    assert _victims(new, rankings, []) == ["c"]
    budget = {"metadata": {"namespace": "ns"}, "spec": {"selector": {"matchLabels": WEB}}}
    protected = {**budget, "status": {"disruptionsAllowed": 0, "disruptedPods": {"a": "2026-01-01T00:00:00Z"}}}
    assert _victims(new, rankings, [protected]) == ["a"]


def _victims(facts: PodFacts, rankings: Rankings, budgets: list[Obj]) -> list[str]:
    refusal = decide(facts, rankings)
    assert not isinstance(refusal, Placement)
    plan = preempt(facts, rankings, refusal, budgets)
    assert isinstance(plan, Preemption)
    return [one.pod["metadata"]["name"] for one in plan.victims]


def test_a_budget_lets_as_many_go_as_it_allows() -> None:
    pods = [asking(f"p{index}", 1) for index in range(3)]
    budget = {"metadata": {"namespace": "ns"}, "spec": {"selector": {"matchLabels": WEB}}}
    violating, others = split_by_budgets(pods, [{**budget, "status": {"disruptionsAllowed": 2}}])
    assert (violating, others) == (pods[2:], pods[:2])
