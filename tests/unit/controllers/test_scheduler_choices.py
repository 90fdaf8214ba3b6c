"""Preferences, terms with namespaces and label keys, taints, extended resources, pods that name their node."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.controllers.scheduler.decide import Unschedulable, decide
from skerry.engine.controllers.scheduler.ranking import Rankings
from skerry.engine.controllers.scheduler.requests import UNSTATED, pod_requests
from skerry.engine.controllers.scheduler.scores import balanced, least_allocated
from skerry.engine.controllers.scheduler.templates import facts_of
from skerry.engine.controllers.taint_eviction.decide import may_stay
from skerry.kube.objects import Obj

from .builders import node, pod
from .test_scheduler import asking, cluster_of, message, target

ZONE = "topology.kubernetes.io/zone"


def zones() -> tuple[Obj, Obj, Obj]:
    return node("a1", labels={ZONE: "a"}), node("a2", labels={ZONE: "a"}), node("b1", labels={ZONE: "b"})


def preferred(kind: str, weight: int = 100, **labels: str) -> Obj:
    term = {"topologyKey": ZONE, "labelSelector": {"matchLabels": labels}}
    return {kind: {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": weight, "podAffinityTerm": term}]}}


def test_preferred_company() -> None:
    cluster = cluster_of(*zones(), pods={"b1": [pod("db", labels={"app": "db"})]})
    assert target(cluster, asking(affinity=preferred("podAffinity", app="db"))) == "b1"
    assert target(cluster, asking(affinity=preferred("podAntiAffinity", app="db"))) != "b1"


def test_pods_already_there_have_wishes_too() -> None:
    fan = pod("fan", spec={"affinity": preferred("podAffinity", app="star")})
    cluster = cluster_of(*zones(), pods={"b1": [fan]})
    assert target(cluster, asking(labels={"app": "star"})) == "b1"
    hermit = pod("hermit", spec={"affinity": preferred("podAntiAffinity", app="star")})
    cluster = cluster_of(node("a1", labels={ZONE: "a"}), node("b1", labels={ZONE: "b"}), pods={"b1": [hermit]})
    assert target(cluster, asking(labels={"app": "star"})) == "a1"


def test_spread_as_a_wish() -> None:
    web = {"app": "web"}
    rule = {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "ScheduleAnyway"}
    rule["labelSelector"] = {"matchLabels": web}
    cluster = cluster_of(*zones(), pods={"b1": [pod("w1", labels=web), pod("w2", labels=web)], "a1": [pod("x")] * 1})
    assert target(cluster, asking(labels=web, topologySpreadConstraints=[rule])) in ("a1", "a2")


def test_min_domains_and_taints_policy() -> None:
    web = {"app": "web"}
    rule = {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule", "minDomains": 3}
    rule["labelSelector"] = {"matchLabels": web}
    held = cluster_of(*zones(), pods={"a1": [pod("w1", labels=web)], "b1": [pod("w2", labels=web)]})
    assert "3 node(s) didn't match pod topology spread constraints" in message(
        held, asking(labels=web, topologySpreadConstraints=[rule])
    )
    tainted = node("c1", labels={ZONE: "c"}, taints=[{"key": "x", "effect": "NoSchedule"}])
    rule = {**rule, "minDomains": 1}
    cluster = cluster_of(*zones(), tainted, pods={"a1": [pod("w1", labels=web)], "b1": [pod("w2", labels=web)]})
    assert "topology spread" in message(cluster, asking(labels=web, topologySpreadConstraints=[rule]))
    honouring = asking(labels=web, topologySpreadConstraints=[{**rule, "nodeTaintsPolicy": "Honor"}])
    assert target(cluster, honouring) in ("a1", "a2", "b1")


def anti(**term: Any) -> Obj:
    full = {"topologyKey": ZONE, "labelSelector": {"matchLabels": {"app": "db"}}, **term}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [full]}}


def test_namespaces_by_label() -> None:
    stranger = pod("db", labels={"app": "db"})
    stranger["metadata"]["namespace"] = "elsewhere"
    cluster = cluster_of(node("a1", labels={ZONE: "a"}), pods={"a1": [stranger]})
    cluster.population.namespaces["elsewhere"] = {"team": "x"}
    near = asking(affinity=anti(namespaceSelector={"matchLabels": {"team": "x"}}))
    assert "didn't match pod anti-affinity rules" in message(cluster, near)
    assert target(cluster, asking("other", affinity=anti(namespaceSelector={"matchLabels": {"team": "y"}}))) == "a1"
    assert "anti-affinity" in message(cluster, asking("all", affinity=anti(namespaceSelector={})))


@pytest.mark.parametrize(("keys", "refused"), [("matchLabelKeys", False), ("mismatchLabelKeys", True)])
def test_label_keys(keys: str, refused: bool) -> None:
    other = pod("db", labels={"app": "db", "version": "1"})
    cluster = cluster_of(node("a1", labels={ZONE: "a"}), pods={"a1": [other]})
    new = asking(labels={"app": "db", "version": "2"}, affinity=anti(**{keys: ["version"]}))
    decision = decide(facts_of(new), Rankings(cluster))
    assert isinstance(decision, Unschedulable) is refused


def test_affinity_wants_one_pod_that_meets_all_terms() -> None:
    terms = [
        {"topologyKey": ZONE, "labelSelector": {"matchLabels": {"app": "db"}}},
        {"topologyKey": ZONE, "labelSelector": {"matchLabels": {"tier": "fast"}}},
    ]
    need = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    both = pod("both", labels={"app": "db", "tier": "fast"})
    halves = [pod("one", labels={"app": "db"}), pod("two", labels={"tier": "fast"})]
    cluster = cluster_of(*zones(), pods={"a1": halves, "b1": [both]})
    assert target(cluster, asking(affinity=need)) == "b1"


def test_a_soft_taint_is_avoided_while_there_is_a_choice() -> None:
    soft = [{"key": "slow", "effect": "PreferNoSchedule"}]
    cluster = cluster_of(node("a", taints=soft), node("b"), pods={"b": [pod("x", spec={"containers": []})]})
    assert target(cluster, asking()) == "b"
    assert target(cluster_of(node("a", taints=soft)), asking()) == "a"


def test_pods_that_name_their_node_look_at_no_other() -> None:
    named = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [named]}}}
    cluster = cluster_of(node("a", cpu="1"), node("b"), node("c"))
    assert target(cluster, asking(affinity=affinity)) == "a"
    assert message(cluster, asking(requests={"cpu": "2"}, affinity=affinity)) == (
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]."
    )


def test_extended_resources_written_into_the_capacity_count_at_once() -> None:
    one = node("a")
    one["status"]["capacity"] = {"cpu": "99", "example.com/dongle": "1"}
    cluster = cluster_of(one)
    dongle = {"requests": {"example.com/dongle": "1"}, "limits": {"example.com/dongle": "1"}}
    new = pod("new", node="", spec={"containers": [{"name": "app", "resources": dongle}]})
    assert target(cluster, new) == "a"
    cluster.assume(facts_of(new), "a")
    assert message(cluster, {**new, "metadata": {**new["metadata"], "uid": "other"}}) == (
        "0/1 nodes are available: 1 Insufficient example.com/dongle."
    )
    assert message(cluster, asking(requests={"cpu": "5"})) == "0/1 nodes are available: 1 Insufficient cpu."


def test_hugepages_and_overhead_count() -> None:
    one = node("a")
    one["status"]["allocatable"]["hugepages-2Mi"] = "4Mi"
    cluster = cluster_of(one)
    assert target(cluster, asking(requests={"hugepages-2Mi": "4Mi"})) == "a"
    assert "Insufficient hugepages-2Mi" in message(cluster, asking(requests={"hugepages-2Mi": "6Mi"}))
    assert "Insufficient cpu" in message(cluster, asking(requests={"cpu": "3"}, overhead={"cpu": "2"}))


def test_scores_follow_kubernetes_formulas() -> None:
    cluster = cluster_of(node("a", cpu="4", memory="8000Mi"))
    state = cluster.state("a")
    assert state is not None
    template = facts_of(asking(requests={"cpu": "1", "memory": "4000Mi"})).template
    assert least_allocated(template, state) == (75 + 50) // 2
    assert balanced(template, state) == 87
    nothing = facts_of(asking()).template
    assert balanced(nothing, state) == 0
    assert pod_requests(asking(), UNSTATED) == {"cpu": 100, "memory": 200 * 2**20}


NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}
OTHER = {"key": "x", "effect": "NoExecute"}


@pytest.mark.parametrize(
    ("tolerations", "taints", "settling", "expected"),
    [
        ([], [], 0, None),
        ([], [OTHER], 0, 0),
        ([{"operator": "Exists"}], [OTHER], 0, None),
        ([{"operator": "Exists", "tolerationSeconds": 30}], [OTHER], 0, 30),
        ([{"operator": "Exists", "tolerationSeconds": -1}], [OTHER], 0, 0),
        ([{"key": "x", "operator": "Exists"}], [OTHER, NOT_READY], 0, 0),
        (
            [{"key": "x", "operator": "Exists", "tolerationSeconds": 9}, {"operator": "Exists"}],
            [OTHER, NOT_READY],
            0,
            9,
        ),
        ([], [NOT_READY], 25, 25),
        ([], [NOT_READY, OTHER], 25, 0),
    ],
)
def test_how_long_a_pod_may_stay(tolerations: list[Obj], taints: list[Obj], settling: float, expected: Any) -> None:
    assert may_stay(tolerations, taints, settling) == expected
