"""Kubernetes' `test/e2e/scheduling/{predicates,preemption}.go`, `test/e2e/node/{node_lifecycle,taints}.go`."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.component.conformance.objects import pod, workload
from tests.support.program import eventually
from tests.support.replay import STRATEGIC, Refused, Replay

FOO = "scheduling.k8s.io/foo"
FAKE_CPU = "example.com/fakecpu"
PRIORITIES = {"low": 1, "medium": 100, "high": 1000, **{f"p{number}": number for number in range(1, 5)}}


@pytest.fixture(autouse=True, scope="module")
def _priorities(shared_cluster: Any) -> None:
    client = Replay(shared_cluster.kubeconfig, "")
    for name, value in PRIORITIES.items():
        client.create("priorityclasses", {"metadata": {"name": f"{name}-priority"}, "value": value})
    client.close()


def nodes(whole_cluster: Replay) -> list[str]:
    return [one["metadata"]["name"] for one in whole_cluster.list("nodes")["items"]]


def asking(resource: str, amount: str) -> Any:
    return {"resources": {"requests": {resource: amount}, "limits": {resource: amount}}}


def with_requests(made: Any, resource: str, amount: str) -> Any:
    made["spec"]["containers"][0].update(asking(resource, amount))
    return made


def important(name: str, priority: str, resource: str, amount: str, **spec: Any) -> Any:
    made = pod(name, {"name": name}, priorityClassName=f"{priority}-priority", **spec)
    return with_requests(made, resource, amount)


def runs(client: Replay, name: str) -> bool:
    return bool(client.get("pods", name)["status"].get("phase") == "Running")


def running(client: Replay, *names: str) -> None:
    eventually(lambda: all(runs(client, name) for name in names), f"{names} to run")


def only_on(node: str) -> Any:
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def not_scheduled(client: Replay, name: str) -> None:
    """There is an event that says so, by the name that the tests look for."""

    def told() -> bool:
        found = client.list("events")["items"]
        return any(one["metadata"]["name"].startswith(name) and one["reason"] == "FailedScheduling" for one in found)

    eventually(told, f"the event about {name}")
    assert not client.get("pods", name)["spec"].get("nodeName")


@contextlib.contextmanager
def offering(whole_cluster: Replay, resource: str, amount: str, *names: str) -> Iterator[None]:
    """Nodes that have an extended resource, declared as the tests do it: in the capacity alone."""
    for name in names:
        whole_cluster.patch("nodes", name, {"status": {"capacity": {resource: amount}}}, "status", STRATEGIC)
    try:
        yield
    finally:
        for name in names:
            whole_cluster.patch("nodes", name, {"status": {"capacity": {resource: None}}}, "status", STRATEGIC)


def test_a_node_from_its_making_to_its_end(whole_cluster: Replay) -> None:
    name = f"e2e-fake-node-{uuid.uuid4().hex[:5]}"
    ready = {"type": "Ready", "status": "True", "reason": "E2E", "message": "Set from e2e test"}
    times = {"lastHeartbeatTime": None, "lastTransitionTime": None}
    body = {
        "metadata": {"name": name, "creationTimestamp": None},
        "spec": {"unschedulable": True},
        "status": {"phase": "Running", "conditions": [{**ready, **times}]},
    }
    made = whole_cluster.create("nodes", body)
    assert made["metadata"]["name"] == name
    assert whole_cluster.get("nodes", name)["metadata"]["name"] == name
    patched = whole_cluster.patch("nodes", name, {"metadata": {"labels": {name: "patched"}}}, kind=STRATEGIC)
    assert patched["metadata"]["labels"][name] == "patched"
    assert int(patched["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    assert len(whole_cluster.list("nodes", labelSelector=f"{name}=patched")["items"]) == 1
    updated = whole_cluster.change("nodes", name, lambda now: now["metadata"]["labels"].update({name: "updated"}))
    assert updated["metadata"]["labels"][name] == "updated"
    whole_cluster.delete("nodes", name)
    eventually(lambda: name not in nodes(whole_cluster), "the end of the node")


def test_resource_limits_of_pods_that_are_allowed_to_run(replay: Replay, whole_cluster: Replay) -> None:
    for node in nodes(whole_cluster):
        whole_cluster.patch("nodes", node, {"metadata": {"labels": {"node": node}}}, kind=STRATEGIC)
        (cpu,) = {int(one["status"]["allocatable"]["cpu"]) for one in whole_cluster.list("nodes")["items"]}
        expression = {"key": "node", "operator": "In", "values": [node]}
        terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
        affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
        filler = pod(f"filler-{node}", {}, affinity=affinity)
        replay.create("pods", with_requests(filler, "cpu", f"{cpu * 700}m"))
    running(replay, *(f"filler-{node}" for node in nodes(whole_cluster)))
    replay.create("pods", with_requests(pod("additional-pod", {"name": "additional"}), "cpu", f"{cpu * 500}m"))
    not_scheduled(replay, "additional-pod")


def test_node_selectors(replay: Replay, whole_cluster: Replay) -> None:
    replay.create("pods", pod("restricted-pod", {"name": "restricted"}, nodeSelector={"label": "nonempty"}))
    not_scheduled(replay, "restricted-pod")
    node, key = nodes(whole_cluster)[1], f"kubernetes.io/e2e-{uuid.uuid4()}"
    whole_cluster.patch("nodes", node, {"metadata": {"labels": {key: "42"}}}, kind=STRATEGIC)
    replay.create("pods", pod("with-labels", nodeSelector={key: "42"}))
    running(replay, "with-labels")
    assert replay.get("pods", "with-labels")["spec"]["nodeName"] == node


def test_host_ports_at_all_addresses_conflict_with_one(replay: Replay, whole_cluster: Replay) -> None:
    selector = {"kubernetes.io/hostname": nodes(whole_cluster)[0]}
    for name, address in (("pod4", ""), ("pod5", "192.0.2.1")):
        made = pod(name, nodeSelector=selector)
        port = {"containerPort": 8080, "hostPort": 54322, "protocol": "TCP", "hostIP": address}
        made["spec"]["containers"][0]["ports"] = [port]
        replay.create("pods", made)
        if name == "pod4":
            running(replay, name)
    not_scheduled(replay, "pod5")


@pytest.mark.parametrize("preemptor", ["high", "critical"])
def test_preemption_of_the_least_important(replay: Replay, whole_cluster: Replay, preemptor: str) -> None:
    """Also by a critical pod, which is in kube-system."""
    names = nodes(whole_cluster)
    with offering(whole_cluster, FOO, "3", *names):
        for name, priority in zip(names, ("low", "medium"), strict=True):
            replay.create("pods", important(f"{priority}-{name}", priority, FOO, "2", affinity=only_on(name)))
        running(replay, f"low-{names[0]}", f"medium-{names[1]}")
        client = replay
        if preemptor == "critical":
            client = Replay(replay.kubeconfig, "kube-system")
            made = with_requests(pod("critical-pod", priorityClassName="system-cluster-critical"), FOO, "2")
            client.create("pods", made)
        else:
            replay.create("pods", important("preemptor-pod", "high", FOO, "2"))
        try:
            running(client, "critical-pod" if preemptor == "critical" else "preemptor-pod")
            assert "deletionTimestamp" not in replay.get("pods", f"medium-{names[1]}")["metadata"]
            with pytest.raises(Refused) as refused:
                replay.get("pods", f"low-{names[0]}")
            assert refused.value.code == 404
        finally:
            if preemptor == "critical":
                client.delete("pods", "critical-pod", {"gracePeriodSeconds": 0})
                client.close()


def test_a_preempted_pod_has_the_condition_disruption_target(replay: Replay, whole_cluster: Replay) -> None:
    name = nodes(whole_cluster)[0]
    with offering(whole_cluster, FOO, "1", name):
        victim = important("victim-pod", "low", FOO, "1", affinity=only_on(name))
        victim["metadata"]["finalizers"] = ["example.com/test-finalizer"]
        replay.create("pods", victim)
        running(replay, "victim-pod")
        replay.create("pods", important("preemptor-pod", "high", FOO, "1", affinity=only_on(name)))
        eventually(lambda: replay.get("pods", "victim-pod")["metadata"].get("deletionTimestamp"), "the preemption")
        conditions = replay.get("pods", "victim-pod")["status"]["conditions"]
        target = next(one for one in conditions if one["type"] == "DisruptionTarget")
        assert (target["status"], target["reason"]) == ("True", "PreemptionByScheduler")
        replay.change("pods", "victim-pod", lambda now: now["metadata"].update(finalizers=[]))
        running(replay, "preemptor-pod")


def test_replica_sets_on_the_path_of_preemption(replay: Replay, whole_cluster: Replay) -> None:
    node = nodes(whole_cluster)[0]
    with offering(whole_cluster, FAKE_CPU, "1000", node):
        for number, amount in ((1, "200"), (2, "300"), (3, "450")):
            made = workload(f"rs-pod{number}")
            spec = made["spec"]["template"]["spec"]
            spec.update(priorityClassName=f"p{number}-priority", nodeSelector={"kubernetes.io/hostname": node})
            spec["containers"][0].update(asking(FAKE_CPU, amount))
            replay.create("replicasets", made)
        eventually(
            lambda: all(one["status"].get("availableReplicas") == 1 for one in replay.list("replicasets")["items"]),
            "all three",
        )
        with replay.watching("pods", "0") as events:
            selector = {"kubernetes.io/hostname": node}
            replay.create("pods", important("pod4", "p4", FAKE_CPU, "500", nodeSelector=selector))
            eventually(lambda: replay.get("pods", "pod4")["spec"].get("nodeName"), "the preemption")
            seen: set[str] = set()

            def everybody(made: Any) -> bool:
                seen.add(made["metadata"]["name"])
                return counted() == [2, 2, 1]

            def counted() -> list[int]:
                return [len([one for one in seen if one.startswith(f"rs-pod{number}")]) for number in (1, 2, 3)]

            events.until("ADDED", everybody)
        running(replay, "pod4")
        third = [one for one in replay.list("pods")["items"] if one["metadata"]["name"].startswith("rs-pod3")]
        assert [one["status"]["phase"] for one in third] == ["Running"]


def test_priority_classes(whole_cluster: Replay) -> None:
    for name in ("p1-priority", "p2-priority"):
        with pytest.raises(Refused) as refused:
            whole_cluster.patch("priorityclasses", name, {"value": 77}, kind=STRATEGIC)
        assert refused.value.status["reason"] == "Invalid"
        with pytest.raises(Refused):
            whole_cluster.change("priorityclasses", name, lambda now: now.update(value=78))
    whole_cluster.patch("priorityclasses", "p1-priority", {"description": "updated description"}, kind=STRATEGIC)
    whole_cluster.change("priorityclasses", "p2-priority", lambda now: now.update(description="updated description"))
    listed = {one["metadata"]["name"]: one for one in whole_cluster.list("priorityclasses")["items"]}
    for number in (1, 2):
        found = listed[f"p{number}-priority"]
        assert (found["value"], found["description"]) == (number, "updated description")


def test_evictions_by_taints(replay: Replay, whole_cluster: Replay) -> None:
    """Several pods with a time of their own, and a taint that goes before the time is over."""
    node = nodes(whole_cluster)[0]
    taint = {"key": "kubernetes.io/e2e-evict-taint-key", "value": "evictTaintVal", "effect": "NoExecute"}
    for name, seconds in (("taint-eviction-b1", 1), ("taint-eviction-b2", 600)):
        toleration = {**taint, "tolerationSeconds": seconds}
        made = pod(name, {"group": "b"}, tolerations=[toleration], nodeSelector={"kubernetes.io/hostname": node})
        made["metadata"]["deletionGracePeriodSeconds"] = 1
        assert "deletionGracePeriodSeconds" not in replay.create("pods", made)["metadata"]
    running(replay, "taint-eviction-b1", "taint-eviction-b2")

    def change(taints: list[Any]) -> None:
        whole_cluster.change("nodes", node, lambda now: now["spec"].update(taints=taints))

    version = replay.list("pods")["metadata"]["resourceVersion"]
    change([{**taint, "timeAdded": "2026-01-01T00:00:00Z"}])
    try:
        with replay.watching("pods", version) as events:
            gone = events.until("DELETED")
        assert gone["metadata"]["name"] == "taint-eviction-b1"
        target = next(one for one in gone["status"]["conditions"] if one["type"] == "DisruptionTarget")
        assert target["reason"] == "DeletionByTaintManager"
    finally:
        change([])
    assert "deletionTimestamp" not in replay.get("pods", "taint-eviction-b2")["metadata"]
