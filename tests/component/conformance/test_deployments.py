"""Kubernetes' `test/e2e/apps/deployment.go`."""

from __future__ import annotations

from typing import Any

from tests.component.conformance.objects import STATUS_CONDITION, types_of, workload
from tests.support.program import eventually
from tests.support.replay import MERGE, Replay


def complete(client: Replay, name: str, replicas: int) -> bool:
    now = client.get("deployments", name)
    status = now["status"]
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
    return counts == [replicas] * 4 and status["observedGeneration"] >= now["metadata"]["generation"]


def ready(replicas: int) -> Any:
    return lambda seen: (seen.get("status") or {}).get("readyReplicas") == replicas


def old_set() -> Any:
    """One that a Deployment "web" adopts."""
    made = workload("web")
    made["metadata"]["name"] = "old"
    return made


def test_the_lifecycle_of_a_deployment(replay: Replay) -> None:
    chosen = {"labelSelector": "e2e=testing"}
    version = replay.list("deployments", everywhere=True, **chosen)["metadata"]["resourceVersion"]
    made = workload("web", 2)
    replay.create("deployments", made)
    with replay.watching("deployments", version, **chosen) as events:
        events.until("ADDED")
        events.until("MODIFIED", ready(2))
        change = {"spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "web", "image": "two"}]}}}}
        replay.patch("deployments", "web", {"metadata": {"labels": {"stage": "patched"}}, **change})
        events.until(
            "MODIFIED",
            lambda seen: (
                ready(1)(seen)
                and seen["status"].get("updatedReplicas") == 1
                and not seen["status"].get("unavailableReplicas")
                and seen["spec"]["template"]["spec"]["containers"][0]["image"] == "two"
            ),
        )
        made["metadata"]["labels"]["stage"] = "updated"
        made["spec"]["template"]["spec"]["containers"][0]["image"] = "three"
        replay.update("deployments", made)
        events.until("MODIFIED", lambda seen: ready(2)(seen) and seen["status"].get("updatedReplicas") == 2)
        none = {"readyReplicas": 0, "availableReplicas": 0}
        replay.patch("deployments", "web", {"metadata": {"labels": {"stage": "no"}}, "status": none}, "status")
        assert replay.get("deployments", "web", "status")["metadata"]["labels"]["stage"] == "updated"
        events.until("MODIFIED", ready(2))
        replay.delete_collection("deployments", {"gracePeriodSeconds": 1}, **chosen)
        events.until("DELETED")


def test_the_status_of_a_deployment(replay: Replay) -> None:
    version = replay.list("deployments")["metadata"]["resourceVersion"]
    replay.create("deployments", workload("web"))
    eventually(lambda: complete(replay, "web", 1), "the deployment")
    assert replay.get("deployments", "web")["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    changed = replay.change(
        "deployments", "web", lambda now: now["status"]["conditions"].append(STATUS_CONDITION), "status"
    )
    assert "StatusUpdate" in types_of(changed)
    with replay.watching("deployments", version) as events:
        events.until("MODIFIED", lambda seen: "StatusUpdate" in types_of(seen))
        patch = {"status": {"conditions": [{"type": "StatusPatched", "status": "True"}]}}
        assert types_of(replay.patch("deployments", "web", patch, "status", MERGE)) == {"StatusPatched"}
        events.until("MODIFIED", lambda seen: "StatusPatched" in types_of(seen))


def test_the_revision_of_an_adopted_set_is_counted_on(replay: Replay) -> None:
    old = workload("web")
    old["metadata"] |= {"name": "old", "annotations": {"deployment.kubernetes.io/revision": "3546343826724305832"}}
    old["spec"]["selector"]["matchLabels"]["pod"] = old["spec"]["template"]["metadata"]["labels"]["pod"] = "old"
    replay.create("replicasets", old)
    eventually(lambda: replay.get("replicasets", "old")["status"].get("readyReplicas") == 1, "the set")
    replay.create("deployments", workload("web", 1, "two"))
    eventually(lambda: complete(replay, "web", 1), "the roll-out")
    revision = replay.get("deployments", "web")["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
    assert revision == "3546343826724305833"
    assert replay.get("replicasets", "old")["spec"]["replicas"] == 0


def test_old_sets_go_beyond_the_history(replay: Replay) -> None:
    replay.create("replicasets", old_set())
    eventually(lambda: replay.get("replicasets", "old")["status"].get("readyReplicas") == 1, "the set")
    replay.create("deployments", workload("web", 1, "two", revisionHistoryLimit=0))
    eventually(lambda: complete(replay, "web", 1), "the roll-out")
    eventually(lambda: len(replay.list("replicasets")["items"]) == 1, "the end of the old set")


def test_a_roll_out_over_a_roll_out(replay: Replay) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    stuck = workload("web", 1, "no-such-image", minReadySeconds=0, strategy=strategy)
    stuck["spec"]["template"]["metadata"]["annotations"] = {"testing.skerry.dev/waiting": "ImagePullBackOff"}
    replay.create("replicasets", old_set())
    eventually(lambda: replay.get("replicasets", "old")["status"].get("readyReplicas") == 1, "the set")
    replay.create("deployments", stuck)
    eventually(lambda: len(replay.list("replicasets")["items"]) == 2, "a second set")
    change = {"metadata": {"annotations": {"testing.skerry.dev/waiting": None}}}
    containers = [{"name": "web", "image": "two"}]
    replay.patch("deployments", "web", {"spec": {"template": {**change, "spec": {"containers": containers}}}})
    eventually(lambda: complete(replay, "web", 1), "the roll-out")
    sets = [one["spec"] for one in replay.list("replicasets")["items"]]
    sizes = {one["template"]["spec"]["containers"][0]["image"]: one["replicas"] for one in sets}
    assert sizes == {"one": 0, "no-such-image": 0, "two": 1}


def test_proportional_scaling(replay: Replay) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}
    replay.create("deployments", workload("web", 10, strategy=strategy))
    eventually(lambda: complete(replay, "web", 10), "ten pods")
    never = {"metadata": {"annotations": {"testing.skerry.dev/waiting": "ImagePullBackOff"}}}
    containers = [{"name": "web", "image": "webserver:404"}]
    replay.patch("deployments", "web", {"spec": {"template": {**never, "spec": {"containers": containers}}}})

    def sizes() -> list[int]:
        sets = sorted(replay.list("replicasets")["items"], key=lambda one: one["metadata"]["creationTimestamp"])
        return sorted(one["spec"]["replicas"] for one in sets)

    eventually(lambda: sizes() == [5, 8], "the roll-out to stand still")
    replay.patch("deployments", "web", {"spec": {"replicas": 30}})
    eventually(lambda: sizes() == [13, 20], "shares of thirty")


def test_the_scale_of_a_deployment(replay: Replay) -> None:
    replay.create("deployments", workload("web"))
    eventually(lambda: complete(replay, "web", 1), "the deployment")
    scale = replay.get("deployments", "web", "scale")
    assert scale["kind"] == "Scale"
    assert scale["spec"]["replicas"] == 1
    scale["metadata"]["resourceVersion"] = ""
    scale["spec"]["replicas"] = 2
    assert replay.update("deployments", scale, "scale")["spec"]["replicas"] == 2
    assert replay.get("deployments", "web")["spec"]["replicas"] == 2
    replay.patch("deployments", "web", {"spec": {"replicas": 4}}, "scale")
    assert replay.get("deployments", "web")["spec"]["replicas"] == 4
    as_ansible_does = {"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 5}}
    assert replay.patch("deployments", "web", as_ansible_does, "scale")["kind"] == "Scale"
    assert replay.get("deployments", "web")["spec"]["replicas"] == 5


def test_recreate_has_no_two_generations_at_once(replay: Replay) -> None:
    replay.create("deployments", workload("web", strategy={"type": "Recreate"}))
    eventually(lambda: complete(replay, "web", 1), "the deployment")
    version = replay.list("pods")["metadata"]["resourceVersion"]
    containers = [{"name": "other", "image": "two"}, {"name": "web", "$patch": "delete"}]
    replay.patch("deployments", "web", {"spec": {"template": {"spec": {"containers": containers}}}})
    with replay.watching("pods", version) as events:
        events.until("DELETED")
        events.until("ADDED")
    eventually(lambda: complete(replay, "web", 1), "the roll-out")
