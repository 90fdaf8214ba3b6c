"""Namespaces, events, service accounts, config maps and secrets: life cycles."""

from __future__ import annotations

from typing import Any

import pytest

from tests.component.conformance.e2e_client import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, E2eClient

NAMESPACES = "/api/v1/namespaces"


def _pod(name: str, **labels: str) -> Any:
    container = {"name": "nginx", "image": "registry.k8s.io/pause:3.10"}
    return {"metadata": {"name": name, "labels": labels}, "spec": {"containers": [container]}}


def test_pods_and_services_go_with_their_namespace(api: E2eClient, unique: str) -> None:
    path = f"{NAMESPACES}/nsdeletetest-{unique}"
    api.create(NAMESPACES, {"metadata": {"name": f"nsdeletetest-{unique}"}})
    api.until(f"{path}/serviceaccounts/default", lambda found: True)
    api.create(f"{path}/pods", _pod("test-pod"))
    ports = [{"port": 80, "targetPort": 80}]
    api.create(
        f"{path}/services", {"metadata": {"name": "test-service"}, "spec": {"selector": {"a": "b"}, "ports": ports}}
    )
    api.until(f"{path}/pods/test-pod", lambda pod: pod["status"]["phase"] == "Running")
    api.delete(path)
    api.until_gone(path)
    api.create(NAMESPACES, {"metadata": {"name": f"nsdeletetest-{unique}"}})
    assert api.code(f"{path}/pods/test-pod") == 404
    assert api.code(f"{path}/services/test-service") == 404
    api.delete(path)


def test_patches_updates_and_finalizes_a_namespace(api: E2eClient, unique: str) -> None:
    path = f"{NAMESPACES}/e2e-ns-{unique}"
    api.create(NAMESPACES, {"metadata": {"name": f"e2e-ns-{unique}"}})
    assert api.patch(path, {"metadata": {"labels": {"testLabel": "testValue"}}}, STRATEGIC_PATCH)
    current = api.get(path)
    assert current["metadata"]["labels"] == {
        "kubernetes.io/metadata.name": f"e2e-ns-{unique}",
        "testLabel": "testValue",
    }
    current["metadata"]["labels"][unique] = "updated"
    assert api.update(path, current)["metadata"]["labels"][unique] == "updated"
    current = api.get(path)
    current["spec"]["finalizers"].append("e2e.example.com/fakeFinalizer")
    finalized = api.update(f"{path}/finalize", current)
    assert finalized["spec"]["finalizers"] == ["kubernetes", "e2e.example.com/fakeFinalizer"]
    finalized["spec"]["finalizers"].remove("e2e.example.com/fakeFinalizer")
    assert api.update(f"{path}/finalize", finalized)["spec"]["finalizers"] == ["kubernetes"]
    api.delete(path)
    api.until_gone(path)


def test_applies_changes_to_a_namespace_status(api: E2eClient, unique: str) -> None:
    path = f"{NAMESPACES}/e2e-ns-{unique}"
    api.create(NAMESPACES, {"metadata": {"name": f"e2e-ns-{unique}"}})
    assert api.get(f"{path}/status")["status"] == {"phase": "Active"}
    condition = {"type": "StatusPatch", "status": "True", "reason": "E2E", "message": "Patched by an e2e test"}
    patched = api.patch(
        f"{path}/status", {"metadata": {"annotations": {"e": "1"}}, "status": {"conditions": [condition]}}
    )
    assert patched["status"]["conditions"][0]["reason"] == "E2E"
    patched["status"]["conditions"].append({**condition, "type": "StatusUpdate"})
    assert len(api.update(f"{path}/status", patched)["status"]["conditions"]) == 2
    api.delete(path)


def test_events_of_core(api: E2eClient, ns: str) -> None:
    path = f"{NAMESPACES}/{ns}/events"
    involved = {"namespace": ns}
    body = {"metadata": {"name": "event-test", "labels": {"testevent-constant": "true"}}, "message": "This is a test"}
    api.create(path, {**body, "reason": "Test", "type": "Normal", "count": 1, "involvedObject": involved})
    listed = api.items("/api/v1/events?labelSelector=testevent-constant=true")
    assert [one["metadata"]["name"] for one in listed if one["metadata"]["namespace"] == ns] == ["event-test"]
    one = f"{path}/event-test"
    assert api.patch(one, {"message": "This is a patched event"}, STRATEGIC_PATCH)["message"].endswith("patched event")
    current = api.get(one)
    current["series"] = {"count": 100, "lastObservedTime": "2026-01-01T00:00:00.000000Z"}
    assert api.update(one, current)["series"]["lastObservedTime"] == "2026-01-01T00:00:00.000000Z"
    api.delete(one)
    for name in ("a", "b", "c"):
        labelled = {"name": name, "labels": {"testevent-set": "true"}}
        api.create(path, {**body, "metadata": labelled, "involvedObject": involved})
    assert len(api.items(f"{path}?labelSelector=testevent-set=true")) == 3
    api.delete(f"{path}?labelSelector=testevent-set=true")
    api.until_empty(f"{path}?labelSelector=testevent-set=true")


def test_events_of_events_k8s_io(api: E2eClient, ns: str) -> None:
    path = f"/apis/events.k8s.io/v1/namespaces/{ns}/events"
    body = {
        "metadata": {"name": "event-test", "labels": {"testevent-constant": "true"}},
        "regarding": {"namespace": ns},
        "reason": "Test",
        "action": "Do",
        "type": "Normal",
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "test-controller",
        "reportingInstance": "test-node",
    }
    api.create(path, body)
    fields = "fieldSelector=reportingController=test-controller"
    assert len(api.items(f"{path}?{fields}")) == 1
    assert len(api.items(f"/apis/events.k8s.io/v1/events?{fields}")) == 1
    assert len(api.items(f"{NAMESPACES}/{ns}/events?fieldSelector=reportingComponent=test-controller")) == 1
    patch = {"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:05.000000Z"}}
    assert api.patch(f"{path}/event-test", patch, STRATEGIC_PATCH)["series"] == patch["series"]
    current = api.get(f"{path}/event-test")
    current["series"] = {"count": 100, "lastObservedTime": "2026-01-01T00:00:09.000000Z"}
    assert api.update(f"{path}/event-test", current)["series"]["count"] == 100
    api.delete(f"{path}/event-test")
    assert api.code(f"{path}/event-test") == 404


def test_service_account_life_cycle(api: E2eClient, ns: str) -> None:
    path = f"{NAMESPACES}/{ns}/serviceaccounts"
    with api.watch(f"{path}?labelSelector=test-serviceaccount-static=true") as watch:
        labels = {"test-serviceaccount-static": "true"}
        api.create(path, {"metadata": {"name": "testserviceaccount", "labels": labels}})
        assert watch.next()[0] == "ADDED"
        api.patch(f"{path}/testserviceaccount", {"automountServiceAccountToken": False}, STRATEGIC_PATCH)
        assert watch.until("MODIFIED")["automountServiceAccountToken"] is False
        assert len(api.items("/api/v1/serviceaccounts?labelSelector=test-serviceaccount-static=true")) == 1
        api.delete(f"{path}?labelSelector=test-serviceaccount-static=true")
        watch.until("DELETED")


def test_root_certificate_is_published_and_restored(api: E2eClient, ns: str) -> None:
    one = f"{NAMESPACES}/{ns}/configmaps/kube-root-ca.crt"
    certificate = api.get(one)["data"]["ca.crt"]
    api.delete(one)
    api.until(one, lambda found: found["data"].get("ca.crt") == certificate)
    api.update(one, {**api.get(one), "data": {"ca.crt": ""}})
    api.until(one, lambda found: found["data"].get("ca.crt") == certificate)


def test_tokens_are_made_and_reviewed(api: E2eClient, ns: str) -> None:
    account = f"{NAMESPACES}/{ns}/serviceaccounts/default"
    pod = api.create(f"{NAMESPACES}/{ns}/pods", _pod("bound"))
    bound = {"kind": "Pod", "apiVersion": "v1", "name": "bound", "uid": pod["metadata"]["uid"]}
    request = {"spec": {"expirationSeconds": 600, "audiences": [], "boundObjectRef": bound}}
    token = api.create(f"{account}/token", request)["status"]["token"]
    review = api.create("/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": token}})
    assert review["status"]["user"]["username"] == f"system:serviceaccount:{ns}:default"
    assert review["status"]["user"]["extra"]["authentication.kubernetes.io/pod-name"] == ["bound"]
    himself = api.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    assert "system:authenticated" in himself["status"]["userInfo"]["groups"]


def test_subject_reviews(api: E2eClient, ns: str) -> None:
    root = "/apis/authorization.k8s.io/v1"
    attributes = {"verb": "list", "resource": "configmaps", "namespace": ns, "version": "v1"}
    user = f"system:serviceaccount:{ns}:e2e"
    spec = {"resourceAttributes": attributes, "user": user, "groups": ["system:authenticated"]}
    assert api.create(f"{root}/subjectaccessreviews", {"spec": spec})["status"]["allowed"] is False
    local = {"metadata": {"namespace": ns}, "spec": spec}
    assert api.create(f"{root}/namespaces/{ns}/localsubjectaccessreviews", local)["status"]["allowed"] is False


@pytest.mark.parametrize("plural", ["configmaps", "secrets"])
def test_config_map_and_secret_life_cycle(api: E2eClient, ns: str, plural: str) -> None:
    path = f"{NAMESPACES}/{ns}/{plural}"
    value, other = ("value", "value1") if plural == "configmaps" else ("dmFsdWU=", "dmFsdWUx")
    with api.watch(f"{path}?labelSelector=test-static=true") as watch:
        api.create(path, {"metadata": {"name": "test", "labels": {"test-static": "true"}}, "data": {"key": value}})
        assert watch.next()[0] == "ADDED"
        patch = {"metadata": {"labels": {"test": "patched"}}, "data": {"key": other}}
        assert api.patch(f"{path}/test", patch, STRATEGIC_PATCH)["data"] == {"key": other}
        assert watch.next()[0] == "MODIFIED"
        assert len(api.items(f"/api/v1/{plural}?labelSelector=test-static=true")) == 1
        api.delete(f"{path}?labelSelector=test-static=true")
        assert watch.next()[0] == "DELETED"
    refused = api.call("POST", path, {"metadata": {"name": "empty-key"}, "data": {"": value}})
    assert refused.code == 422
    made = api.create(path, {"metadata": {"name": "immutable"}, "data": {"a": value}, "immutable": True})
    assert api.call("PUT", f"{path}/immutable", {**made, "data": {"a": other}}).code == 422
    assert api.call("PATCH", f"{path}/immutable", {"immutable": False}, MERGE_PATCH).code == 422
    api.delete(f"{path}/immutable")


def test_pod_templates_and_limit_ranges(api: E2eClient, ns: str) -> None:
    templates = f"{NAMESPACES}/{ns}/podtemplates"
    api.create(templates, {"metadata": {"name": "t", "labels": {"a": "b"}}, "template": _pod("x", a="b")})
    assert api.patch(f"{templates}/t", {"metadata": {"labels": {"podtemplate": "patched"}}}, STRATEGIC_PATCH)
    current = api.get(f"{templates}/t")
    current["metadata"]["annotations"] = {"updated": "true"}
    assert api.update(f"{templates}/t", current)["metadata"]["annotations"] == {"updated": "true"}
    api.delete(f"{templates}?labelSelector=podtemplate=patched")
    assert api.items(templates) == []
    ranges = f"{NAMESPACES}/{ns}/limitranges"
    limit = {
        "type": "Container",
        "min": {"cpu": "50m", "memory": "100Mi", "ephemeral-storage": "100Gi"},
        "max": {"cpu": "500m", "memory": "500Mi", "ephemeral-storage": "500Gi"},
        "default": {"cpu": "500m", "memory": "500Mi", "ephemeral-storage": "500Gi"},
        "defaultRequest": {"cpu": "100m", "memory": "200Mi", "ephemeral-storage": "200Gi"},
    }
    api.create(ranges, {"metadata": {"name": "limits"}, "spec": {"limits": [limit]}})
    pod = api.create(f"{NAMESPACES}/{ns}/pods", _pod("pod-no-resources"))
    assert pod["spec"]["containers"][0]["resources"] == {
        "limits": limit["default"],
        "requests": limit["defaultRequest"],
    }
    current = api.get(f"{ranges}/limits")
    current["spec"]["limits"][0]["min"] = {"cpu": "9m", "memory": "100Mi", "ephemeral-storage": "100Gi"}
    assert api.update(f"{ranges}/limits", current)["spec"]["limits"][0]["min"]["cpu"] == "9m"
    patch = [{"op": "replace", "path": "/spec/limits/0/min/cpu", "value": "10m"}]
    assert api.patch(f"{ranges}/limits", patch, JSON_PATCH)["spec"]["limits"][0]["min"]["cpu"] == "10m"
    api.delete(f"{ranges}/limits")


def test_pods_go_before_everything_else(api: E2eClient, unique: str) -> None:
    """OrderedNamespaceDeletion: what a pod may still need stays until the pod is gone."""
    path = f"/api/v1/namespaces/ordered-{unique}"
    api.create("/api/v1/namespaces", {"metadata": {"name": f"ordered-{unique}"}})
    api.until(f"{path}/serviceaccounts/default", lambda found: True)
    kept = {"finalizers": ["e2e.example.com/finalizer"]}
    spec = {"containers": [{"name": "web", "image": "one"}], "terminationGracePeriodSeconds": 0}
    api.create(f"{path}/pods", {"metadata": {"name": "pod", **kept}, "spec": spec})
    api.create(f"{path}/configmaps", {"metadata": {"name": "map"}})
    api.delete(path)
    api.until(f"{path}/pods/pod", lambda pod: "deletionTimestamp" in pod["metadata"])
    remaining = "NamespaceContentRemaining"
    api.until(
        path,
        lambda found: any(
            each["type"] == remaining and each["status"] == "True" for each in found["status"].get("conditions", ())
        ),
    )
    assert "deletionTimestamp" not in api.get(f"{path}/configmaps/map")["metadata"]
    api.patch(f"{path}/pods/pod", {"metadata": {"finalizers": []}})
    api.until_gone(path)
