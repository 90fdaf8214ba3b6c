"""Garbage collector: background, orphan, foreground, owners in circles and owners of two minds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.component.conformance.definitions import random_definition
from tests.component.conformance.e2e_client import STRATEGIC_PATCH, E2eClient

_CONTAINERS = [{"name": "nginx", "image": "registry.k8s.io/pause:3.10"}]


def _controller(api: E2eClient, ns: str, name: str, replicas: int) -> Any:
    path = f"/api/v1/namespaces/{ns}/replicationcontrollers"
    labels = {"gctest": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": _CONTAINERS}}
    spec = {"replicas": replicas, "selector": labels, "template": template}
    api.create(path, {"metadata": {"name": name}, "spec": spec})
    return api.until(f"{path}/{name}", lambda found: found["status"].get("replicas") == replicas)


def _delete(api: E2eClient, path: str, obj: Any, policy: str) -> None:
    preconditions = {"uid": obj["metadata"]["uid"]}
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy, "preconditions": preconditions}
    api.delete(f"{path}/{obj['metadata']['name']}", options)


def test_deletes_pods_of_a_controller_in_the_background(api: E2eClient, ns: str) -> None:
    controller = _controller(api, ns, "simpletest.rc", 2)
    _delete(api, f"/api/v1/namespaces/{ns}/replicationcontrollers", controller, "Background")
    api.until_empty(f"/api/v1/namespaces/{ns}/pods")


def test_orphans_pods_when_told_so(api: E2eClient, ns: str) -> None:
    controller = _controller(api, ns, "simpletest.rc", 10)
    path = f"/api/v1/namespaces/{ns}/replicationcontrollers"
    _delete(api, path, controller, "Orphan")
    api.until_empty(path)
    pods = api.items(f"/api/v1/namespaces/{ns}/pods")
    assert len(pods) == 10
    assert all("ownerReferences" not in pod["metadata"] and "deletionTimestamp" not in pod["metadata"] for pod in pods)


def test_keeps_a_controller_until_its_pods_are_gone(api: E2eClient, ns: str) -> None:
    path = f"/api/v1/namespaces/{ns}/replicationcontrollers"
    controller = _controller(api, ns, "simpletest.rc", 10)
    with api.watch(path, resourceVersion=controller["metadata"]["resourceVersion"]) as watch:
        _delete(api, path, controller, "Foreground")
        going = watch.until("MODIFIED", lambda seen: "deletionTimestamp" in seen["metadata"])
        assert going["metadata"]["finalizers"] == ["foregroundDeletion"]
        watch.until("DELETED")
    assert api.items(f"/api/v1/namespaces/{ns}/pods") == []


@pytest.mark.parametrize("policy", ["Background", "Orphan"])
def test_replica_sets_of_a_deployment(api: E2eClient, ns: str, policy: str) -> None:
    root = f"/apis/apps/v1/namespaces/{ns}"
    labels = {"gctest": "delete_rs"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": _CONTAINERS}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    made = api.create(f"{root}/deployments", {"metadata": {"name": "simpletest.deployment"}, "spec": spec})
    api.until(f"{root}/replicasets", lambda found: found["items"])
    api.until(f"/api/v1/namespaces/{ns}/pods", lambda found: len(found["items"]) == 2)
    _delete(api, f"{root}/deployments", made, policy)
    api.until_gone(f"{root}/deployments/simpletest.deployment")
    if policy == "Background":
        api.until_empty(f"{root}/replicasets")
        api.until_empty(f"/api/v1/namespaces/{ns}/pods")
        return
    sets = api.until(f"{root}/replicasets", lambda found: "ownerReferences" not in found["items"][0]["metadata"])
    assert len(sets["items"]) == 1
    assert len(api.items(f"/api/v1/namespaces/{ns}/pods")) == 2


def test_does_not_delete_what_another_owner_still_needs(api: E2eClient, ns: str) -> None:
    pods, path = f"/api/v1/namespaces/{ns}/pods", f"/api/v1/namespaces/{ns}/replicationcontrollers"
    going, staying = _controller(api, ns, "to-be-deleted", 10), _controller(api, ns, "to-stay", 0)
    owner = {"apiVersion": "v1", "kind": "ReplicationController", "name": "to-stay", "uid": staying["metadata"]["uid"]}
    names = [pod["metadata"]["name"] for pod in api.items(f"{pods}?labelSelector=gctest=to-be-deleted")]
    for name in names[:5]:
        api.patch(f"{pods}/{name}", {"metadata": {"ownerReferences": [owner]}}, STRATEGIC_PATCH)
    _delete(api, path, going, "Foreground")
    api.until_gone(f"{path}/to-be-deleted")
    left = api.until(pods, lambda found: len(found["items"]) == 5)["items"]
    assert {pod["metadata"]["name"] for pod in left} == set(names[:5])
    for pod in left:
        assert [one["name"] for one in pod["metadata"]["ownerReferences"]] == ["to-stay"]
        assert "deletionTimestamp" not in pod["metadata"]


def test_a_circle_of_owners_does_not_block(api: E2eClient, ns: str) -> None:
    path = f"/api/v1/namespaces/{ns}/pods"
    made = [api.create(path, {"metadata": {"name": f"pod{n}"}, "spec": {"containers": _CONTAINERS}}) for n in (1, 2, 3)]
    for index, pod in enumerate(made):
        owner = made[index - 1]["metadata"]
        reference = {"apiVersion": "v1", "kind": "Pod", "name": owner["name"], "uid": owner["uid"]}
        reference |= {"controller": True, "blockOwnerDeletion": True}
        change = {"metadata": {"ownerReferences": [reference]}}
        api.patch(f"{path}/{pod['metadata']['name']}", change, STRATEGIC_PATCH)
    _delete(api, path, made[0], "Foreground")
    api.until_empty(path)


@pytest.mark.parametrize("policy", ["Background", "Foreground", "Orphan"])
def test_custom_resources_own_each_other(api: E2eClient, policy: str) -> None:
    definition = random_definition(api, versions=("v1",))

    def make(name: str, *owners: Any) -> Any:
        references = [
            {"apiVersion": definition.api_version, "kind": definition.kind, "blockOwnerDeletion": True}
            | {key: owner["metadata"][key] for key in ("name", "uid")}
            for owner in owners
        ]
        metadata = {"name": name, "ownerReferences": references}
        obj = {"apiVersion": definition.api_version, "kind": definition.kind, "metadata": metadata}
        return api.create(definition.path, obj)

    owner = make("owner")
    make("dependent", owner)
    _delete(api, definition.path, owner, policy)
    api.until_gone(f"{definition.path}/owner")
    if policy == "Orphan":
        assert "ownerReferences" not in api.get(f"{definition.path}/dependent")["metadata"]
    else:
        api.until_gone(f"{definition.path}/dependent")
    api.delete(definition.own_path)
