"""ServerSideApply: built-in kinds and custom resources, shared fields, subresources, lists of all sorts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.component.conformance.definitions import random_definition
from tests.component.conformance.e2e_client import APPLY_PATCH, MERGE_PATCH, Answer, E2eClient

PORT = {
    "type": "object",
    "required": ["containerPort", "protocol"],
    "properties": {
        "containerPort": {"type": "integer", "format": "int32"},
        "name": {"type": "string"},
        "protocol": {"type": "string"},
    },
}
CRON = {
    "type": "object",
    "x-kubernetes-preserve-unknown-fields": True,
    "properties": {
        "cronSpec": {"type": "string", "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"},
        "ports": {
            "type": "array",
            "items": PORT,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
        },
        "atomicList": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "atomic"},
    },
}


def _apply(api: E2eClient, path: str, body: Any, manager: str, **more: str) -> Answer:
    query = "&".join(f"{key}={value}" for key, value in {"fieldManager": manager, **more}.items())
    return api.call("PATCH", f"{path}?{query}", body, APPLY_PATCH)


def _deployment(name: str, replicas: int | None = 3, **pod: Any) -> Any:
    labels = {"app": "nginx"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "nginx", "image": "nginx"}], **pod}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": labels}, "spec": spec}


@pytest.mark.parametrize(
    ("plural", "spec", "owned"),
    [
        (
            "pods",
            {"containers": [{"name": "test-container", "image": "test-image"}]},
            {"f:spec": {"f:containers": {'k:{"name":"test-container"}': {".": {}, "f:image": {}, "f:name": {}}}}},
        ),
        (
            "services",
            {"ports": [{"port": 8080, "protocol": "UDP"}]},
            {"f:spec": {"f:ports": {'k:{"port":8080,"protocol":"UDP"}': {".": {}, "f:port": {}, "f:protocol": {}}}}},
        ),
    ],
)
def test_creates_and_is_applied_again_by_another(api: E2eClient, ns: str, plural: str, spec: Any, owned: Any) -> None:
    path = f"/api/v1/namespaces/{ns}/{plural}/applied"
    kind = {"pods": "Pod", "services": "Service"}[plural]
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "applied"}, "spec": spec}
    assert _apply(api, path, body, "apply_test").code == 201
    made = _apply(api, path, body, "apply_test_2").body
    entries = {entry["manager"]: entry["fieldsV1"] for entry in made["metadata"]["managedFields"]}
    assert entries["apply_test"] == entries["apply_test_2"] == owned


def test_a_status_is_applied_through_its_subresource_only(api: E2eClient, ns: str) -> None:
    path = f"/api/v1/namespaces/{ns}/pods/test-pod"
    pod: Any = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "test-pod"}}
    _apply(api, path, {**pod, "spec": {"containers": [{"name": "nginx", "image": "nginx"}]}}, "apply_test")
    status = {**pod, "status": {"conditions": [{"type": "MyStatus", "status": "True"}]}}

    def conditions() -> list[str]:
        return [each["type"] for each in api.get(path)["status"].get("conditions", ())]

    assert _apply(api, path, status, "apply_test2").code == 200
    assert "MyStatus" not in conditions()
    assert _apply(api, f"{path}/status", status, "apply_test2").code == 200
    assert "MyStatus" in conditions()


def test_a_body_that_is_not_quite_json(api: E2eClient, ns: str) -> None:
    """Tabs and commas too many: it is YAML."""
    path = f"/api/v1/namespaces/{ns}/configmaps/cm"
    body = '{\n\t"apiVersion": "v1",\n\t"kind": "ConfigMap",\n\t"metadata": {"name": "cm"},\n\t"data": {"a": "b",},\n}'
    assert _apply(api, path, body, "apply_test").code == 201
    assert api.get(path)["data"] == {"a": "b"}


def test_fields_go_with_their_last_owner(api: E2eClient, ns: str) -> None:
    path = f"/apis/apps/v1/namespaces/{ns}/deployments/shared"
    for manager in ("shared_owner_1", "shared_owner_2"):
        assert _apply(api, path, _deployment("shared", hostname="test-hostname"), manager).code < 300
    kept = _apply(api, path, _deployment("shared", None), "shared_owner_1").body
    assert kept["spec"]["replicas"] == 3
    assert kept["spec"]["template"]["spec"]["hostname"] == "test-hostname"
    left = _apply(api, path, _deployment("shared", None), "shared_owner_2").body
    assert "hostname" not in left["spec"]["template"]["spec"]


def test_conflicts_and_force(api: E2eClient, ns: str) -> None:
    path = f"/apis/apps/v1/namespaces/{ns}/deployments/forced"
    _apply(api, path, _deployment("forced"), "apply_test")
    api.patch(path, {"spec": {"replicas": 5}}, MERGE_PATCH)
    refused = _apply(api, path, _deployment("forced"), "apply_test")
    assert (refused.code, refused.body["reason"]) == (409, "Conflict")
    assert len(refused.body["details"]["causes"]) == 1
    assert _apply(api, path, _deployment("forced"), "apply_test", force="true").body["spec"]["replicas"] == 3


def test_a_field_taken_over_by_an_update_stays(api: E2eClient, ns: str) -> None:
    path = f"/apis/apps/v1/namespaces/{ns}/deployments/taken"
    _apply(api, path, _deployment("taken"), "test_applier")
    api.patch(path, {"spec": {"replicas": 4}}, MERGE_PATCH)
    assert _apply(api, path, _deployment("taken", None), "test_applier").body["spec"]["replicas"] == 4


def test_custom_resources(api: E2eClient) -> None:
    schema = {"type": "object", "properties": {"spec": CRON}}
    definition = random_definition(api, schema, ("v1beta1", "v1"))
    path = f"{definition.path}/mytest"

    def body(version: str = "v1beta1", finalizers: tuple[str, ...] = ("test-finalizer",), **spec: Any) -> Any:
        metadata = {"name": "mytest", **({"finalizers": list(finalizers)} if finalizers else {})}
        api_version = f"{definition.group}/{version}"
        return {"apiVersion": api_version, "kind": definition.kind, "metadata": metadata, "spec": spec}

    port = {"name": "x", "containerPort": 80, "protocol": "TCP"}
    full = {"cronSpec": "* * * * */5", "replicas": 1, "ports": [port]}
    made = _apply(api, path, body(**full), "apply_test").body
    assert (made["metadata"]["finalizers"], len(made["spec"]["ports"])) == (["test-finalizer"], 1)
    other = path.replace("/v1beta1/", "/v1/")
    assert _apply(api, other, body("v1", (), **full), "apply_test").code == 200
    assert _apply(api, path, body(**full), "apply_test").code == 200
    api.patch(path, {"metadata": {"finalizers": ["test-finalizer", "another-one"]}}, MERGE_PATCH)
    assert set(_apply(api, path, body(**full), "apply_test").body["metadata"]["finalizers"]) == {
        "test-finalizer",
        "another-one",
    }
    assert api.patch(path, {"spec": {"replicas": 5}}, MERGE_PATCH)["spec"]["replicas"] == 5
    refused = _apply(api, path, body(**full), "apply_test")
    assert (refused.code, len(refused.body["details"]["causes"])) == (409, 1)
    assert _apply(api, path, body(**full), "apply_test", force="true").body["spec"]["replicas"] == 1
    renamed = body(finalizers=(), ports=[{**port, "name": "y"}])
    refused = _apply(api, path, renamed, "apply_test_2")
    assert (refused.code, len(refused.body["details"]["causes"])) == (409, 1)
    added = body(finalizers=(), ports=[{**port, "name": "y", "containerPort": 8080}])
    assert len(_apply(api, path, added, "apply_test_2").body["spec"]["ports"]) == 2
    missing = body(**full)
    missing["metadata"]["name"] = "should-not-exist"
    assert api.call("PUT", f"{definition.path}/should-not-exist?fieldManager=apply_test", missing).code == 404
    atomic = f"{definition.path}/atomic"
    for item, manager in (("item1", "apply_test"), ("item2", "apply_test_2")):
        wanted = body(finalizers=(), atomicList=[item])
        wanted["metadata"]["name"] = "atomic"
        assert _apply(api, atomic, wanted, manager, force="true").body["spec"]["atomicList"] == [item]
    api.patch(path, {"metadata": {"finalizers": []}}, MERGE_PATCH)
    api.delete(definition.own_path)
