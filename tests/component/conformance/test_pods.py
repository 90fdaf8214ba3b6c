"""Kubernetes' `test/e2e/common/node/{pods,podtemplates,runtimeclass,lease}.go`, `test/e2e/node/pods.go` (classes,
generations) and `test/e2e/apps/disruption.go`: what needs no container."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.component.conformance.objects import pod, workload
from tests.support.program import eventually
from tests.support.replay import JSON_PATCH, MERGE, STRATEGIC, Refused, Replay


def is_ready(client: Replay, name: str) -> bool:
    conditions = client.get("pods", name)["status"].get("conditions") or ()
    return {"type": "Ready", "status": "True"}.items() <= next(
        (one for one in conditions if one["type"] == "Ready"), {}
    ).items()


def running(client: Replay, name: str, labels: dict[str, str] | None = None, **more: Any) -> Any:
    client.create("pods", pod(name, labels, **more))
    eventually(lambda: is_ready(client, name), f"{name}")
    return client.get("pods", name)


def test_the_lifecycle_of_pods_and_their_status(replay: Replay) -> None:
    chosen = {"labelSelector": "test-pod-static=true"}
    version = replay.list("pods", everywhere=True, **chosen)["metadata"]["resourceVersion"]
    replay.create("pods", pod("pod-test", {"test-pod-static": "true"}))
    with replay.watching("pods", version, **chosen) as events:
        events.until("MODIFIED", lambda seen: (seen.get("status") or {}).get("phase") == "Running")
        spec = {"terminationGracePeriodSeconds": 0, "containers": [{"name": "web", "image": "two"}]}
        replay.patch("pods", "pod-test", {"metadata": {"labels": {"test-pod": "patched"}}, "spec": spec})
        now = replay.get("pods", "pod-test", "status")
        assert now["metadata"]["labels"]["test-pod"] == "patched"
        assert now["spec"]["containers"][0]["image"] == "two"
        del now["metadata"]["resourceVersion"]  # the node may write as well
        for one in now["status"]["conditions"]:
            if one["type"] in ("Ready", "ContainersReady"):
                one["status"] = "False"
        answer = replay.update("pods", now, "status")["status"]["conditions"]
        assert [one["status"] for one in answer if one["type"].endswith("Ready")] == ["False", "False"]
        replay.delete_collection("pods", {"gracePeriodSeconds": 1}, **chosen)
        events.until("DELETED")


def test_a_collection_of_pods(replay: Replay) -> None:
    for number in range(3):
        running(replay, f"test-pod-{number}", {"type": "Testing"})
    replay.delete_collection("pods", {"gracePeriodSeconds": 1}, labelSelector="type=Testing")
    eventually(lambda: not replay.list("pods", labelSelector="type=Testing")["items"], "the end of the pods")


def test_invalid_sysctls_are_refused(replay: Replay) -> None:
    """`test/e2e/common/node/sysctl.go`: all that are no names, and none of the others."""
    sysctls = [{"name": name, "value": "1"} for name in ("foo-", "kernel.shmmax", "safe-and-unsafe", "bar..")]
    with pytest.raises(Refused) as refused:
        replay.create("pods", pod("sysctl", securityContext={"sysctls": sysctls}))
    message = refused.value.status["message"]
    assert 'Invalid value: "foo-"' in message
    assert 'Invalid value: "bar.."' in message
    assert "safe-and-unsafe" not in message
    assert "kernel.shmmax" not in message


@pytest.mark.parametrize("account", [None, True, False])
def test_tokens_are_not_mounted_where_they_are_not_wanted(replay: Replay, account: bool | None) -> None:
    """`test/e2e/auth/service_accounts.go`: what a pod says counts more than what its account says."""
    name = {None: "default", True: "mount", False: "nomount"}[account]
    if account is not None:
        replay.create("serviceaccounts", {"metadata": {"name": name}, "automountServiceAccountToken": account})
    for number, own in enumerate((None, True, False)):
        says = {} if own is None else {"automountServiceAccountToken": own}
        made = replay.create("pods", pod(f"{name}-{number}", serviceAccountName=name, **says))
        paths = [one["mountPath"] for one in made["spec"]["containers"][0].get("volumeMounts") or ()]
        wanted = own if own is not None else account is not False
        assert ("/var/run/secrets/kubernetes.io/serviceaccount" in paths) == wanted


def test_labels_and_deadlines_are_updated(replay: Replay) -> None:
    running(replay, "p", {"time": "before"})
    replay.change("pods", "p", _set("metadata", "labels", "time", "after"))
    assert len(replay.list("pods", labelSelector="time=after")["items"]) == 1
    changed = replay.change("pods", "p", _set("spec", "activeDeadlineSeconds", 5000))
    assert changed["spec"]["activeDeadlineSeconds"] == 5000
    with pytest.raises(Refused):
        replay.patch("pods", "p", {"spec": {"activeDeadlineSeconds": 10000}})


def test_quality_classes(replay: Replay) -> None:
    made = pod("p")
    amounts = {"cpu": "100m", "memory": "100Mi"}
    made["spec"]["containers"][0]["resources"] = {"limits": amounts, "requests": amounts}
    assert replay.create("pods", made)["status"]["qosClass"] == "Guaranteed"


def test_a_negative_grace_period_is_one_second(replay: Replay) -> None:
    made = pod("p")
    made["spec"]["terminationGracePeriodSeconds"] = -1
    now = replay.create("pods", made)
    assert now["spec"]["terminationGracePeriodSeconds"] == 1
    eventually(lambda: is_ready(replay, "p"), "the pod")
    changed = replay.change("pods", "p", _set("spec", "terminationGracePeriodSeconds", -1))
    assert changed["spec"]["terminationGracePeriodSeconds"] == 1


def _tolerate(obj: Any) -> None:
    toleration = {"key": "foo", "operator": "Equal", "value": "bar", "effect": "NoSchedule"}
    obj["spec"]["tolerations"] = [*obj["spec"].get("tolerations", ()), toleration]


def _set(*path: Any) -> Callable[[Any], None]:
    *way, last, value = path

    def change(obj: Any) -> None:
        for part in way:
            obj = obj[part]
        obj[last] = value

    return change


def test_generations(replay: Replay) -> None:
    made = pod("p")
    made["metadata"]["generation"] = 100
    made["spec"]["initContainers"] = [{"name": "init", "image": "one"}]
    assert replay.create("pods", made)["metadata"]["generation"] == 1
    eventually(lambda: is_ready(replay, "p"), "the pod")
    generation = 1
    changes: list[tuple[Callable[[Any], None], bool]] = [
        (lambda obj: None, False),
        (_tolerate, True),
        (_set("spec", "activeDeadlineSeconds", 5000), True),
        (_set("spec", "containers", 0, "image", "two"), True),
        (_set("spec", "initContainers", 0, "image", "two"), True),
        (_set("metadata", "annotations", {"key": "value"}), False),
        (_set("metadata", "generation", 1), False),
    ]
    for change, counts in changes:
        generation += counts
        assert replay.change("pods", "p", change)["metadata"]["generation"] == generation
        assert replay.get("pods", "p")["metadata"]["generation"] == generation


def test_readiness_gates(replay: Replay) -> None:
    gates = [{"conditionType": f"k8s.io/test-condition{number}"} for number in (1, 2)]
    replay.create("pods", pod("p", readinessGates=gates))
    eventually(lambda: replay.get("pods", "p")["status"]["phase"] == "Running", "the pod")

    def gate(number: int, status: str) -> None:
        condition = {"type": f"k8s.io/test-condition{number}", "status": status}
        replay.patch("pods", "p", {"status": {"conditions": [condition]}}, "status")

    assert not is_ready(replay, "p")
    gate(1, "True")
    assert not is_ready(replay, "p")
    gate(2, "True")
    eventually(lambda: is_ready(replay, "p"), "readiness")
    gate(1, "False")
    eventually(lambda: not is_ready(replay, "p"), "its end")


def pod_template(name: str) -> Any:
    return {
        "metadata": {"name": name, "labels": {"podtemplate-set": "true"}},
        "template": {"metadata": {}, "spec": {"containers": [{"name": "nginx", "image": "one"}]}},
    }


def test_pod_templates(replay: Replay) -> None:
    chosen = {"labelSelector": "podtemplate-set=true"}
    with replay.watching("podtemplates", **chosen) as events:
        replay.create("podtemplates", pod_template("one"))
        events.until("ADDED")
        patch = {"metadata": {"labels": {"podtemplate": "patched"}}}
        assert replay.patch("podtemplates", "one", patch)["metadata"]["labels"]["podtemplate"] == "patched"
        now = replay.get("podtemplates", "one")
        now["metadata"]["annotations"] = {"updated": "true"}
        assert replay.update("podtemplates", now)["metadata"]["annotations"] == {"updated": "true"}
        replay.delete("podtemplates", "one")
        events.until("DELETED")
    for name in ("a", "b", "c"):
        replay.create("podtemplates", pod_template(name))
    assert len(replay.list("podtemplates", everywhere=True, **chosen)["items"]) == 3
    replay.delete_collection("podtemplates", {}, **chosen)
    assert not replay.list("podtemplates", **chosen)["items"]


def test_runtime_classes(whole_cluster: Replay) -> None:
    for name in ("rc1", "rc2", "rc3"):
        made = {"metadata": {"name": name, "labels": {"test": "rc"}}, "handler": f"{name}-handler"}
        whole_cluster.create("runtimeclasses", made)
    chosen = {"labelSelector": "test=rc"}
    with pytest.raises(Refused) as refused:
        whole_cluster.create("runtimeclasses", made)
    assert refused.value.status["reason"] == "AlreadyExists"
    assert len(whole_cluster.list("runtimeclasses", **chosen)["items"]) == 3
    patched = whole_cluster.patch(
        "runtimeclasses", "rc1", {"metadata": {"annotations": {"patched": "true"}}}, kind=MERGE
    )
    patched["metadata"]["annotations"]["updated"] = "true"
    assert whole_cluster.update("runtimeclasses", patched)["metadata"]["annotations"]["updated"] == "true"
    whole_cluster.delete("runtimeclasses", "rc1")
    assert len(whole_cluster.list("runtimeclasses", **chosen)["items"]) == 2
    whole_cluster.delete_collection("runtimeclasses", {}, **chosen)
    assert not whole_cluster.list("runtimeclasses", **chosen)["items"]


def test_pods_and_their_runtime_class(replay: Replay, whole_cluster: Replay) -> None:
    overhead = {"podFixed": {"cpu": "10m", "memory": "1Mi"}}
    whole_cluster.create("runtimeclasses", {"metadata": {"name": "plain"}, "handler": "test-handler"})
    whole_cluster.create("runtimeclasses", {"metadata": {"name": "heavy"}, "handler": "h", "overhead": overhead})
    replay.create("pods", pod("plain", runtimeClassName="plain"))
    replay.create("pods", pod("heavy", runtimeClassName="heavy"))
    eventually(lambda: replay.get("pods", "plain")["spec"].get("nodeName"), "the first to be scheduled")
    eventually(lambda: replay.get("pods", "heavy")["spec"].get("nodeName"), "the second to be scheduled")
    assert not replay.get("pods", "plain")["spec"].get("overhead")
    assert replay.get("pods", "heavy")["spec"]["overhead"] == overhead["podFixed"]
    whole_cluster.delete("runtimeclasses", "plain")
    whole_cluster.delete("runtimeclasses", "heavy")
    for name in ("plain", "never-was"):
        with pytest.raises(Refused) as refused:
            replay.create("pods", pod("rejected", runtimeClassName=name), dryRun="All")
        assert refused.value.code == 403


def test_leases(replay: Replay) -> None:
    spec = {
        "holderIdentity": "holder",
        "leaseDurationSeconds": 30,
        "acquireTime": "2026-01-02T03:04:05.000000Z",
        "renewTime": "2026-01-02T03:04:10.000000Z",
        "leaseTransitions": 0,
    }
    replay.create("leases", {"metadata": {"name": "lease"}, "spec": spec})
    now = replay.get("leases", "lease")
    assert now["spec"] == spec
    now["spec"] |= {"holderIdentity": "holder2", "leaseTransitions": 1}
    assert replay.update("leases", now)["spec"]["holderIdentity"] == "holder2"
    assert replay.patch("leases", "lease", {"spec": {"leaseDurationSeconds": 60}})["spec"]["leaseDurationSeconds"] == 60
    replay.create("leases", {"metadata": {"name": "two", "labels": {"deletecollection": "true"}}, "spec": spec})
    replay.delete_collection("leases", {}, labelSelector="deletecollection=true")
    replay.delete("leases", "lease")
    assert not replay.list("leases")["items"]


def budget(name: str, **spec: Any) -> Any:
    made = {"selector": {"matchLabels": {"foo": "bar"}}, **spec}
    return {"metadata": {"name": name, "labels": {"special": "yes"}}, "spec": made}


def allowed(client: Replay, count: int) -> Callable[[], bool]:
    def check() -> bool:
        now = client.get("poddisruptionbudgets", "foo")
        status = now.get("status") or {}
        seen = status.get("observedGeneration") == now["metadata"]["generation"]
        return bool(seen and status.get("disruptionsAllowed") == count)

    return check


def test_budgets_and_their_collections(replay: Replay) -> None:
    for name in ("foo", "foo2"):
        replay.create("poddisruptionbudgets", budget(name, minAvailable=2))
    assert len(replay.list("poddisruptionbudgets", everywhere=True, labelSelector="special=yes")["items"]) == 2
    changed = replay.change("poddisruptionbudgets", "foo", _set("spec", "minAvailable", "2%"))
    assert changed["spec"]["minAvailable"] == "2%"
    patched = replay.patch("poddisruptionbudgets", "foo", {"spec": {"minAvailable": "3%"}})
    assert patched["spec"]["minAvailable"] == "3%"
    replay.delete_collection("poddisruptionbudgets", {}, labelSelector="special=yes")
    assert not replay.list("poddisruptionbudgets")["items"]


def test_the_status_of_a_budget(replay: Replay) -> None:
    for name in ("pod-0", "pod-1", "pod-2"):
        running(replay, name, {"foo": "bar"})
    replay.create("poddisruptionbudgets", budget("foo", minAvailable=1))
    eventually(allowed(replay, 2), "the count")
    disrupt = _set("status", "disruptedPods", {"pod-0": "2126-01-02T03:04:05Z"})
    assert list(replay.change("poddisruptionbudgets", "foo", disrupt, "status")["status"]["disruptedPods"]) == ["pod-0"]
    steps = [{"op": "replace", "path": "/status/disruptionsAllowed", "value": 2}]
    assert replay.patch("poddisruptionbudgets", "foo", steps, "status", JSON_PATCH)["status"]["disruptionsAllowed"] == 2


def test_evictions_wait_for_the_budget(replay: Replay) -> None:
    for number in range(3):
        running(replay, f"pod-{number}", {"foo": "bar"})
    replay.create("poddisruptionbudgets", budget("foo", minAvailable=3))
    eventually(allowed(replay, 0), "the count")
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "pod-0"}}
    with pytest.raises(Refused) as refused:
        replay.create("pods", eviction, "eviction", "pod-0")
    assert refused.value.code == 429
    assert refused.value.status["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    assert refused.value.status["details"]["causes"][0]["reason"] == "DisruptionBudget"
    replay.patch("poddisruptionbudgets", "foo", {"spec": {"minAvailable": 2}}, kind=STRATEGIC)
    eventually(allowed(replay, 1), "the count")
    replay.create("pods", eviction, "eviction", "pod-0")
    eventually(lambda: len(replay.list("pods")["items"]) == 2, "the eviction")


@pytest.mark.parametrize(
    ("limit", "count"), [({"minAvailable": "90%"}, 1), ({"maxUnavailable": "10%"}, 1), ({"maxUnavailable": 1}, 1)]
)
def test_budgets_of_a_set(replay: Replay, limit: Any, count: int) -> None:
    made = workload("rs", 10)
    made["spec"]["selector"]["matchLabels"] = made["spec"]["template"]["metadata"]["labels"] = {"foo": "bar"}
    replay.create("replicasets", made)
    replay.create("poddisruptionbudgets", budget("foo", **limit))
    eventually(allowed(replay, count), "the count")
