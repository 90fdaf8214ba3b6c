"""Kubernetes' `test/e2e/apps/replica_set.go` and `rc.go`."""

from __future__ import annotations

import pytest

from tests.component.conformance.objects import STATUS_CONDITION, controller, pod, types_of, workload
from tests.support.program import eventually
from tests.support.replay import MERGE, Replay

BOTH = pytest.mark.parametrize("resource", ["replicasets", "replicationcontrollers"])


def make(resource: str, name: str, replicas: int = 1) -> object:
    return workload(name, replicas) if resource == "replicasets" else controller(name, replicas)


def is_ready(client: Replay, resource: str, name: str, count: int) -> bool:
    return bool(client.get(resource, name)["status"].get("readyReplicas", 0) == count)


@BOTH
def test_pods_are_adopted_and_released(replay: Replay, resource: str) -> None:
    replay.create("pods", pod("orphan", {"name": "set"}))
    replay.create(resource, make(resource, "set"))

    def owners() -> list[str]:
        return [one["name"] for one in replay.get("pods", "orphan")["metadata"].get("ownerReferences", ())]

    eventually(lambda: owners() == ["set"], "adoption")
    replay.patch("pods", "orphan", {"metadata": {"labels": {"name": "not-matching"}}})
    eventually(lambda: owners() == [], "release")


@BOTH
def test_a_quota_shows_as_a_condition(replay: Replay, resource: str) -> None:
    quota = {"metadata": {"name": "condition-test"}, "spec": {"hard": {"pods": "2"}}}
    replay.create("resourcequotas", quota)
    eventually(lambda: replay.get("resourcequotas", "condition-test")["status"]["hard"], "the quota")
    replay.create(resource, make(resource, "condition-test", 3))

    def failing() -> bool:
        now = replay.get(resource, "condition-test")
        return now["status"].get("observedGeneration") == now["metadata"][
            "generation"
        ] and "ReplicaFailure" in types_of(now)

    eventually(failing, "the condition")
    replay.patch(resource, "condition-test", {"spec": {"replicas": 2}})
    eventually(lambda: not failing(), "the end of the condition")


@BOTH
def test_scale(replay: Replay, resource: str) -> None:
    replay.create(resource, make(resource, "set"))
    eventually(lambda: is_ready(replay, resource, "set", 1), "the pod")
    scale = replay.get(resource, "set", "scale")
    assert scale["spec"]["replicas"] == 1
    scale["metadata"]["resourceVersion"] = ""
    scale["spec"]["replicas"] = 2
    assert replay.update(resource, scale, "scale")["spec"]["replicas"] == 2
    assert replay.get(resource, "set")["spec"]["replicas"] == 2
    replay.patch(resource, "set", {"spec": {"replicas": 3}}, "scale")
    assert replay.get(resource, "set")["spec"]["replicas"] == 3
    eventually(lambda: is_ready(replay, resource, "set", 3), "three pods")


def test_the_lifecycle_of_a_replication_controller(replay: Replay) -> None:
    chosen = {"labelSelector": "name=rc"}
    with replay.watching("replicationcontrollers", **chosen) as events:
        replay.create("replicationcontrollers", controller("rc"))
        events.until("ADDED")
        events.until("MODIFIED", lambda seen: seen["status"].get("readyReplicas") == 1)
        patched = replay.patch("replicationcontrollers", "rc", {"metadata": {"labels": {"test-rc": "patched"}}})
        assert patched["metadata"]["labels"]["test-rc"] == "patched"
        events.until("MODIFIED")
        none = {"status": {"readyReplicas": 0, "availableReplicas": 0}}
        answer = replay.patch("replicationcontrollers", "rc", none, "status")
        assert answer["status"].get("readyReplicas", 0) == 0
        events.until("MODIFIED", lambda seen: seen["status"].get("replicas") == 1)
        assert replay.get("replicationcontrollers", "rc", "status")["status"]["replicas"] == 1
        replay.patch("replicationcontrollers", "rc", {"spec": {"replicas": 2}}, "scale")
        events.until("MODIFIED", lambda seen: seen["status"].get("readyReplicas") == 2)
        fewer = {"availableReplicas": 1, "readyReplicas": 1}
        replay.change("replicationcontrollers", "rc", lambda now: now["status"].update(fewer), "status")
        events.until("MODIFIED")
        listed = replay.list("replicationcontrollers", everywhere=True, **chosen)["items"]
        assert [one["metadata"]["namespace"] for one in listed] == [replay.namespace]
        replay.delete_collection("replicationcontrollers", {}, **chosen)
        events.until("DELETED")


def test_replace_and_patch(replay: Replay) -> None:
    version = replay.list("replicasets")["metadata"]["resourceVersion"]
    replay.create("replicasets", workload("set"))
    with replay.watching("replicasets", version) as events:
        events.until("MODIFIED", lambda seen: seen["status"].get("readyReplicas") == 1)
        replay.change("replicasets", "set", lambda now: now["spec"].update(replicas=2))
        events.until("MODIFIED", lambda seen: seen["status"].get("readyReplicas") == 2)
        containers = [{"name": "web", "image": "two"}]
        change = {"replicas": 3, "template": {"spec": {"terminationGracePeriodSeconds": 0, "containers": containers}}}
        patched = replay.patch("replicasets", "set", {"metadata": {"labels": {"test-rs": "patched"}}, "spec": change})
        assert patched["spec"]["template"]["spec"]["containers"][0]["image"] == "two"
        events.until("MODIFIED", lambda seen: seen["status"].get("readyReplicas") == 3)


def test_sets_deleted_as_a_collection(replay: Replay) -> None:
    replay.create("replicasets", workload("set", 3))
    eventually(lambda: is_ready(replay, "replicasets", "set", 3), "the pods")
    replay.delete_collection("replicasets", {}, labelSelector="e2e=testing")
    eventually(lambda: not replay.list("replicasets")["items"], "the end of the set")
    eventually(lambda: not replay.list("pods")["items"], "the end of its pods")


def test_the_status_of_a_set(replay: Replay) -> None:
    replay.create("replicasets", workload("set"))
    eventually(lambda: is_ready(replay, "replicasets", "set", 1), "the pod")
    conditions = [STATUS_CONDITION]
    changed = replay.change("replicasets", "set", lambda now: now["status"].update(conditions=conditions), "status")
    assert types_of(changed) == {"StatusUpdate"}
    patch = {"status": {"conditions": [{"type": "StatusPatched", "status": "True"}]}}
    assert types_of(replay.patch("replicasets", "set", patch, "status", MERGE)) == {"StatusPatched"}
