"""Where pods go and why not: requests, filters, neighbours, the picture of the cluster."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.controllers.scheduler.cluster import Cluster
from skerry.engine.controllers.scheduler.decide import Placement, Unschedulable, decide
from skerry.engine.controllers.scheduler.ranking import Rankings
from skerry.engine.controllers.scheduler.requests import pod_requests
from skerry.engine.controllers.scheduler.taints import tolerates
from skerry.engine.controllers.scheduler.templates import facts_of
from skerry.kube.host_ports import HostPort, host_ports
from skerry.kube.objects import Obj

from .builders import node, pod


def asking(name: str = "new", *, labels: dict[str, str] | None = None, requests: Any = None, **spec: Any) -> Obj:
    """A pod without a node."""
    containers = [{"name": "app", "resources": {"requests": requests or {}}}]
    return pod(name, node="", labels=labels or {}, spec={"containers": containers, **spec})


def cluster_of(*nodes: Obj, pods: dict[str, list[Obj]] | None = None) -> Cluster:
    cluster = Cluster()
    for one in nodes:
        cluster.set_node(one)
    for name, placed in (pods or {}).items():
        for one in placed:
            cluster.place(facts_of(one), name)
    return cluster


def message(cluster: Cluster, one: Obj) -> str:
    decision = decide(facts_of(one), Rankings(cluster))
    assert isinstance(decision, Unschedulable)
    return decision.message


def target(cluster: Cluster, one: Obj) -> str:
    decision = decide(facts_of(one), Rankings(cluster))
    assert isinstance(decision, Placement), decision
    return decision.node


def container(cpu: str, memory: str = "0", **fields: Any) -> Obj:
    return {"resources": {"requests": {"cpu": cpu, "memory": memory}}, **fields}


def test_init_containers_count_by_the_largest_and_sidecars_always() -> None:
    spec = {
        "initContainers": [
            container("1", "1Gi"),
            container("200m", "64Mi", restartPolicy="Always"),
            container("2", "128Mi"),
        ],
        "containers": [container("500m", "512Mi"), container("300m", "512Mi")],
        "overhead": {"cpu": "10m"},
    }
    assert pod_requests({"spec": spec}) == {"cpu": 2210, "memory": 1088 * 2**20}


def test_limits_stand_in_for_requests_and_the_pods_own_replace_the_sum() -> None:
    limited = {"resources": {"limits": {"cpu": "1", "nvidia.com/gpu": "2"}, "requests": {"cpu": "100m"}}}
    assert pod_requests({"spec": {"containers": [limited]}}) == {"cpu": 100, "nvidia.com/gpu": 2}
    whole = {"containers": [limited, limited], "resources": {"requests": {"cpu": "150m"}}}
    assert pod_requests({"spec": whole})["cpu"] == 150


@pytest.mark.parametrize(
    ("other", "conflict"),
    [
        (HostPort("TCP", "0.0.0.0", 80), True),
        (HostPort("TCP", "192.0.2.1", 80), True),
        (HostPort("UDP", "0.0.0.0", 80), False),
        (HostPort("TCP", "0.0.0.0", 81), False),
    ],
)
def test_host_ports(other: HostPort, conflict: bool) -> None:
    assert HostPort("TCP", "0.0.0.0", 80).conflicts(other) is conflict
    assert not HostPort("TCP", "192.0.2.2", 80).conflicts(HostPort("TCP", "192.0.2.1", 80))


def test_a_host_port_is_taken_once() -> None:
    ports = {"containers": [{"ports": [{"containerPort": 80, "hostPort": 8080}]}]}
    taken = pod("old", spec=ports)
    assert host_ports(taken) == [HostPort("TCP", "0.0.0.0", 8080)]
    cluster = cluster_of(node(), pods={"node": [taken]})
    reason = "1 node(s) didn't have free ports for the requested pod ports"
    assert message(cluster, pod("new", node="", spec=ports)) == f"0/1 nodes are available: {reason}."


def test_every_lacking_resource_is_named_and_nodes_are_counted() -> None:
    cluster = cluster_of(node("a"), node("b"), node("c", unschedulable=True))
    wanted = asking(requests={"cpu": "5", "memory": "9Gi", "nvidia.com/gpu": "1"})
    assert message(cluster, wanted) == (
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu, 2 Insufficient memory, "
        "2 Insufficient nvidia.com/gpu."
    )


def test_too_many_pods_and_no_nodes() -> None:
    cluster = cluster_of(node(pods="1"), pods={"node": [pod("old")]})
    assert message(cluster, asking()) == "0/1 nodes are available: 1 Too many pods."
    assert message(Cluster(), asking()) == "no nodes available to schedule pods"


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "gpu", "operator": "Exists"}, True),
        ({"key": "gpu", "value": "yes"}, True),
        ({"key": "gpu", "value": "yes", "effect": "NoSchedule"}, True),
        ({"key": "gpu", "value": "no"}, False),
        ({"key": "gpu", "value": "yes", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_tolerations(toleration: Obj, expected: bool) -> None:
    taint = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
    assert tolerates(toleration, taint) is expected
    cluster = cluster_of(node(taints=[taint]))
    decision = decide(facts_of(asking(tolerations=[toleration])), Rankings(cluster))
    assert isinstance(decision, Placement) is expected


def required(*terms: Obj) -> Obj:
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}}


def test_node_affinity() -> None:
    cluster = cluster_of(
        node("a", labels={"disk": "hdd", "cores": "4"}), node("b", labels={"disk": "ssd", "cores": "16"})
    )
    assert target(cluster, asking(nodeSelector={"disk": "ssd"})) == "b"
    many = {"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["8"]}]}
    assert target(cluster, asking(affinity=required(many))) == "b"
    named = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]}]}
    assert target(cluster, asking(affinity=required(named))) == "a"
    reason = "2 node(s) didn't match Pod's node affinity/selector"
    assert message(cluster, asking(affinity=required({}))) == f"0/2 nodes are available: {reason}."
    wish = {"weight": 50, "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["hdd"]}]}}
    preferred = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}}
    assert target(cluster, asking(affinity=preferred)) == "a"


def test_the_emptier_node_is_better() -> None:
    busy = pod("busy", spec={"containers": [container("3")]})
    assert target(cluster_of(node("a"), node("b"), pods={"b": [busy]}), asking()) == "a"
    assert target(cluster_of(node("a"), node("b"), pods={"a": [busy]}), asking()) == "b"


ZONE = "topology.kubernetes.io/zone"


def zones() -> tuple[Obj, Obj, Obj]:
    return node("a1", labels={ZONE: "a"}), node("a2", labels={ZONE: "a"}), node("b1", labels={ZONE: "b"})


def near(kind: str, **labels: str) -> Obj:
    term = {"topologyKey": ZONE, "labelSelector": {"matchLabels": labels}}
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def test_pod_affinity_and_anti_affinity_by_zone() -> None:
    cluster = cluster_of(*zones(), pods={"a1": [pod("db", labels={"app": "db"})]})
    assert target(cluster, asking(affinity=near("podAntiAffinity", app="db"))) == "b1"
    assert target(cluster, asking(affinity=near("podAffinity", app="db"))) in ("a1", "a2")
    reason = "3 node(s) didn't match pod affinity rules"
    assert message(cluster, asking(affinity=near("podAffinity", app="none"))) == f"0/3 nodes are available: {reason}."


def test_the_first_of_a_group_may_start_it() -> None:
    cluster = cluster_of(*zones())
    first = asking(labels={"app": "group"}, affinity=near("podAffinity", app="group"))
    assert target(cluster, first) in ("a1", "a2", "b1")


def test_pods_already_there_keep_others_away() -> None:
    loner = pod("loner", labels={"app": "x"}, spec={"affinity": near("podAntiAffinity", app="web")})
    cluster = cluster_of(*zones(), pods={"a1": [loner]})
    assert target(cluster, asking(labels={"app": "web"})) == "b1"
    cluster.remove("uid-loner")
    assert target(cluster, asking(labels={"app": "web"}, nodeSelector={ZONE: "a"})) in ("a1", "a2")


def test_anti_affinity_of_another_namespace_does_not_count() -> None:
    stranger = pod("db", labels={"app": "db"})
    stranger["metadata"]["namespace"] = "elsewhere"
    cluster = cluster_of(node("a1", labels={ZONE: "a"}), pods={"a1": [stranger]})
    assert target(cluster, asking(affinity=near("podAntiAffinity", app="db"))) == "a1"


def spread(skew: int = 1, **fields: Any) -> list[Obj]:
    rule = {"maxSkew": skew, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule"}
    return [{**rule, "labelSelector": {"matchLabels": {"app": "web"}}, **fields}]


def test_topology_spread() -> None:
    web = {"app": "web"}
    cluster = cluster_of(*zones(), pods={"a1": [pod("w1", labels=web)]})
    assert target(cluster, asking(labels=web, topologySpreadConstraints=spread())) == "b1"
    pinned = asking(labels=web, topologySpreadConstraints=spread(nodeAffinityPolicy="Ignore"), nodeSelector={ZONE: "a"})
    assert "2 node(s) didn't match pod topology spread constraints" in message(cluster, pinned)
    assert target(cluster, asking(labels=web, topologySpreadConstraints=spread(2), nodeSelector={ZONE: "a"}))
    unlabelled = cluster_of(node("plain"))
    reason = "1 node(s) didn't match pod topology spread constraints (missing required label)"
    assert message(unlabelled, asking(labels=web, topologySpreadConstraints=spread())) == (
        f"0/1 nodes are available: {reason}."
    )


def test_assumed_pods_count_until_removed() -> None:
    cluster = cluster_of(node(cpu="2"))
    first = facts_of(asking("first", requests={"cpu": "2"}))
    cluster.assume(first, "node")
    assert cluster.is_assumed("uid-first")
    assert message(cluster, asking("second", requests={"cpu": "1"})) == "0/1 nodes are available: 1 Insufficient cpu."
    cluster.place(first, "node")
    assert not cluster.is_assumed("uid-first")
    assert cluster.nodes()[0].used["cpu"] == 2000
    assert cluster.remove("uid-first")
    assert not cluster.remove("uid-first")
    assert target(cluster, asking("second", requests={"cpu": "1"})) == "node"


def test_pods_of_an_unknown_node_are_counted_when_it_comes() -> None:
    cluster = cluster_of(pods={"late": [pod("early", spec={"containers": [container("3")]})]})
    assert cluster.nodes() == []
    cluster.set_node(node("late"))
    assert cluster.nodes()[0].used["cpu"] == 3000
    cluster.remove_node("late")
    cluster.remove("uid-early")
    assert cluster.nodes() == []


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"resourceClaims": [{"name": "gpu"}]}, "resourceClaims"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(spec: Obj, named: str) -> None:
    assert named in message(cluster_of(node()), asking(**spec))
