"""Kubernetes' `test/e2e/apps/statefulset.go`, `daemon_set.go` and `controller_revision.go`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.component.conformance.objects import STATUS_CONDITION, daemon_set, stateful_set, types_of
from tests.support.program import eventually
from tests.support.replay import JSON_PATCH, MERGE, Replay

UNREADY = {"metadata": {"annotations": {"testing.skerry.dev/ready": "false"}}}
READY = {"metadata": {"annotations": {"testing.skerry.dev/ready": "true"}}}


def images(client: Replay) -> dict[str, str]:
    return {one["metadata"]["name"]: one["spec"]["containers"][0]["image"] for one in client.list("pods")["items"]}


def new_image(image: str) -> Any:
    return {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}}


def all_ready(client: Replay, count: int, name: str = "ss") -> bool:
    status = client.get("statefulsets", name)["status"]
    return bool(status.get("readyReplicas", 0) == status.get("replicas", 0) == count)


def settled(client: Replay, count: int, name: str = "ss") -> None:
    eventually(lambda: all_ready(client, count, name), f"{count} ready pods")


def test_rolling_update_and_rollback(replay: Replay) -> None:
    replay.create("statefulsets", stateful_set("ss", 3))
    settled(replay, 3)
    first = replay.get("statefulsets", "ss")["status"]
    assert first["currentRevision"] == first["updateRevision"]
    replay.patch("pods", "ss-1", UNREADY)
    eventually(lambda: replay.get("statefulsets", "ss")["status"]["readyReplicas"] == 2, "one not ready")
    replay.patch("statefulsets", "ss", new_image("two"))
    eventually(lambda: replay.get("statefulsets", "ss")["status"]["observedGeneration"] == 2, "notice")
    assert set(images(replay).values()) == {"one"}
    replay.patch("pods", "ss-1", READY)
    settled_on(replay, "two", 3)
    replay.patch("statefulsets", "ss", new_image("one"))
    settled_on(replay, "one", 3)
    assert replay.get("statefulsets", "ss")["status"]["currentRevision"] == first["currentRevision"]


def settled_on(client: Replay, image: str, count: int) -> None:
    def done() -> bool:
        status = client.get("statefulsets", "ss")["status"]
        return set(images(client).values()) == {image} and status["currentRevision"] == status["updateRevision"]

    eventually(done, f"all on {image}")
    settled(client, count)


def test_canary_and_phased_updates(replay: Replay) -> None:
    def partition(size: int) -> Any:
        return {"spec": {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": size}}}}

    replay.create("statefulsets", stateful_set("ss", 3, **partition(3)["spec"]))
    settled(replay, 3)
    replay.patch("statefulsets", "ss", new_image("two"))
    eventually(
        lambda: (s := replay.get("statefulsets", "ss")["status"])["updateRevision"] != s["currentRevision"], "it"
    )
    assert set(images(replay).values()) == {"one"}
    replay.patch("statefulsets", "ss", partition(2))
    eventually(lambda: images(replay) == {"ss-0": "one", "ss-1": "one", "ss-2": "two"}, "the canary")
    settled(replay, 3)
    replay.delete("pods", "ss-0")
    replay.delete("pods", "ss-2")
    eventually(lambda: images(replay) == {"ss-0": "one", "ss-1": "one", "ss-2": "two"}, "its keeping")
    settled(replay, 3)
    replay.patch("statefulsets", "ss", partition(0))
    settled_on(replay, "two", 3)


def test_scaling_is_ordered_and_halts(replay: Replay) -> None:
    with replay.watching("pods", labelSelector="name=ss") as events:
        replay.create("statefulsets", stateful_set("ss", 1))
        settled(replay, 1)
        replay.patch("pods", "ss-0", UNREADY)
        eventually(lambda: not all_ready(replay, 1), "not ready")
        replay.patch("statefulsets", "ss", {"spec": {"replicas": 3}})
        eventually(lambda: replay.get("statefulsets", "ss")["status"].get("observedGeneration") == 2, "notice")
        assert len(images(replay)) == 1
        replay.patch("pods", "ss-0", READY)
        settled(replay, 3)
        added = [events.until("ADDED")["metadata"]["name"] for _ in range(3)]
        assert added == ["ss-0", "ss-1", "ss-2"]
        for name in added:
            replay.patch("pods", name, UNREADY)
        eventually(lambda: not replay.get("statefulsets", "ss")["status"].get("readyReplicas"), "none ready")
        replay.patch("statefulsets", "ss", {"spec": {"replicas": 0}})
        eventually(lambda: replay.get("statefulsets", "ss")["status"].get("observedGeneration") == 3, "notice")
        assert set(images(replay)) == set(added)
        for name in ("ss-2", "ss-1"):  # ss-0 goes after them, healthy or not: no pod is left that waits for it
            replay.patch("pods", name, READY)
        settled(replay, 0)
        gone = [events.until("DELETED")["metadata"]["name"] for _ in range(3)]
        assert gone == ["ss-2", "ss-1", "ss-0"]


def test_burst_scaling(replay: Replay) -> None:
    replay.create("statefulsets", stateful_set("ss", 1, podManagementPolicy="Parallel"))
    settled(replay, 1)
    replay.patch("pods", "ss-0", UNREADY)
    eventually(lambda: not all_ready(replay, 1), "not ready")
    replay.patch("statefulsets", "ss", {"spec": {"replicas": 3}})
    eventually(lambda: len(images(replay)) == 3, "all pods")
    replay.patch("statefulsets", "ss", {"spec": {"replicas": 0}})
    eventually(lambda: not images(replay), "no pods")


def test_scale_and_collection(replay: Replay) -> None:
    replay.create("statefulsets", stateful_set("ss", 1))
    settled(replay, 1)
    scale = replay.get("statefulsets", "ss", "scale")
    scale["metadata"]["resourceVersion"] = ""
    scale["spec"]["replicas"] = 2
    assert replay.update("statefulsets", scale, "scale")["spec"]["replicas"] == 2
    assert replay.get("statefulsets", "ss")["spec"]["replicas"] == 2
    replay.patch("statefulsets", "ss", {"spec": {"replicas": 4}}, "scale")
    assert replay.get("statefulsets", "ss")["spec"]["replicas"] == 4
    assert len(replay.list("statefulsets", everywhere=True, labelSelector="e2e=testing")["items"]) == 1
    patch = {"metadata": {"labels": {"test-ss": "patched"}}, "spec": {"replicas": 2}} | {}
    assert replay.patch("statefulsets", "ss", patch)["metadata"]["labels"]["test-ss"] == "patched"
    settled(replay, 2)
    replay.delete_collection("statefulsets", {"gracePeriodSeconds": 1}, labelSelector="test-ss=patched")
    eventually(lambda: not replay.list("statefulsets")["items"], "the end of the set")
    eventually(lambda: not images(replay), "the end of its pods")


@pytest.mark.parametrize("resource", ["statefulsets", "daemonsets"])
def test_status(replay: Replay, resource: str) -> None:
    made = stateful_set("set", 1) if resource == "statefulsets" else daemon_set("set")
    replay.create(resource, made)
    eventually(lambda: len(images(replay)) == (1 if resource == "statefulsets" else 2), "pods")
    conditions = [STATUS_CONDITION]
    changed = replay.change(resource, "set", lambda now: now["status"].update(conditions=conditions), "status")
    assert types_of(changed) == {"StatusUpdate"}
    with replay.watching(resource) as events:
        events.until("ADDED", lambda seen: "StatusUpdate" in types_of(seen))
        patch = {"status": {"conditions": [{"type": "StatusPatched", "status": "True"}]}}
        assert types_of(replay.patch(resource, "set", patch, "status", MERGE)) == {"StatusPatched"}
        events.until("MODIFIED", lambda seen: types_of(seen) == {"StatusPatched"})


def on_nodes(client: Replay) -> list[str]:
    return sorted(one["spec"]["nodeName"] for one in client.list("pods")["items"] if one["spec"].get("nodeName"))


def test_a_daemon_on_every_node_comes_back(replay: Replay) -> None:
    replay.create("daemonsets", daemon_set("ds"))
    eventually(lambda: on_nodes(replay) == ["node-1", "node-2"], "pods")
    pod = replay.list("pods")["items"][0]["metadata"]["name"]
    replay.delete("pods", pod)
    eventually(lambda: on_nodes(replay) == ["node-1", "node-2"] and pod not in images(replay), "another")


def test_a_failed_daemon_is_replaced(replay: Replay) -> None:
    replay.create("daemonsets", daemon_set("ds"))
    eventually(lambda: replay.get("daemonsets", "ds")["status"].get("numberReady") == 2, "pods")
    failed = replay.list("pods")["items"][0]
    failed["metadata"]["resourceVersion"] = ""
    failed["status"]["phase"] = "Failed"
    replay.update("pods", failed, "status")
    eventually(lambda: failed["metadata"]["name"] not in images(replay), "the end of the failed pod")
    eventually(lambda: on_nodes(replay) == ["node-1", "node-2"], "another")


def test_daemons_on_chosen_nodes(replay: Replay, whole_cluster: Replay) -> None:
    def colour(value: str | None) -> None:
        whole_cluster.patch("nodes", "node-1", {"metadata": {"labels": {"daemonset-color": value}}})

    made = daemon_set("ds")
    made["spec"]["template"]["spec"]["nodeSelector"] = {"daemonset-color": "blue"}
    replay.create("daemonsets", made)
    eventually(lambda: replay.get("daemonsets", "ds")["status"].get("observedGeneration") == 1, "notice")
    assert on_nodes(replay) == []
    try:
        colour("blue")
        eventually(lambda: on_nodes(replay) == ["node-1"], "a pod")
        eventually(lambda: replay.get("daemonsets", "ds")["status"]["currentNumberScheduled"] == 1, "count")
        colour("green")
        eventually(lambda: on_nodes(replay) == [], "its end")
        green = {"template": {"spec": {"nodeSelector": {"daemonset-color": "green"}}}}
        replay.patch("daemonsets", "ds", {"spec": {"updateStrategy": {"type": "RollingUpdate"}, **green}})
        eventually(lambda: on_nodes(replay) == ["node-1"], "a pod")
    finally:
        colour(None)


def test_daemons_roll_and_roll_back(replay: Replay) -> None:
    replay.create("daemonsets", daemon_set("ds"))
    eventually(lambda: replay.get("daemonsets", "ds")["status"].get("numberAvailable") == 2, "pods")
    before = set(images(replay))
    never = {"metadata": {"annotations": {"testing.skerry.dev/waiting": "ImagePullBackOff"}}}
    replay.patch(
        "daemonsets", "ds", {"spec": {"template": {**never, **new_image("foo:non-existent")["spec"]["template"]}}}
    )
    eventually(lambda: "foo:non-existent" in images(replay).values(), "the roll-out")
    kept = [name for name, image in images(replay).items() if image == "one"]
    assert kept
    assert set(kept) < before
    never["metadata"]["annotations"]["testing.skerry.dev/waiting"] = None  # type: ignore[assignment]
    replay.patch("daemonsets", "ds", {"spec": {"template": {**never, **new_image("one")["spec"]["template"]}}})
    eventually(lambda: list(images(replay).values()) == ["one", "one"], "the way back")
    assert set(kept) <= set(images(replay))
    revisions = [one["revision"] for one in replay.list("controllerrevisions")["items"]]
    assert sorted(revisions) == [2, 3]


def test_daemons_deleted_as_a_collection(replay: Replay) -> None:
    replay.create("daemonsets", daemon_set("ds"))
    eventually(lambda: len(on_nodes(replay)) == 2, "pods")
    replay.delete_collection("daemonsets", {}, labelSelector="e2e=testing")
    eventually(lambda: not replay.list("daemonsets")["items"] and not images(replay), "the end")


def test_the_lifecycle_of_a_controller_revision(replay: Replay) -> None:
    replay.create("daemonsets", daemon_set("ds"))
    eventually(lambda: len(replay.list("controllerrevisions", everywhere=True)["items"]) == 1, "a revision")
    (initial,) = replay.list("controllerrevisions", labelSelector="name=ds")["items"]
    name = initial["metadata"]["name"]
    patched = replay.patch("controllerrevisions", name, {"metadata": {"labels": {name: "patched"}}})
    assert patched["metadata"]["labels"][name] == "patched"
    fresh = {
        "metadata": {"name": name + "-2", "labels": initial["metadata"]["labels"]},
        "data": initial["data"],
        "revision": initial["revision"] + 1,
    }
    assert replay.create("controllerrevisions", fresh)["revision"] == 2
    replay.delete("controllerrevisions", name)
    eventually(lambda: name not in {o["metadata"]["name"] for o in replay.list("controllerrevisions")["items"]}, "it")
    label = {name + "-2": "updated"}
    changed = replay.change("controllerrevisions", name + "-2", lambda now: now["metadata"]["labels"].update(label))
    assert changed["metadata"]["labels"][name + "-2"] == "updated"
    step = [{"op": "replace", "path": "/revision", "value": 7}]
    assert replay.patch("controllerrevisions", name + "-2", step, kind=JSON_PATCH)["revision"] == 7
    replay.delete_collection("controllerrevisions", {}, labelSelector=f"{name}-2=updated")
    eventually(
        lambda: all("2" not in o["metadata"]["name"][-2:] for o in replay.list("controllerrevisions")["items"]), ""
    )
