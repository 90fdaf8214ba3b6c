"""Discovery, aggregated discovery, server version, and what the e2e framework asks before any test."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.component.conformance.definitions import random_definition
from tests.component.conformance.e2e_client import E2eClient

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
EXPECTED = [
    ("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations"),
    ("apiextensions.k8s.io", "v1", "customresourcedefinitions"),
    ("apiregistration.k8s.io", "v1", "apiservices"),
    ("apps", "v1", "deployments"),
    ("authentication.k8s.io", "v1", "tokenreviews"),
    ("authorization.k8s.io", "v1", "selfsubjectaccessreviews"),
    ("autoscaling", "v1", "horizontalpodautoscalers"),
    ("autoscaling", "v2", "horizontalpodautoscalers"),
    ("batch", "v1", "jobs"),
    ("certificates.k8s.io", "v1", "certificatesigningrequests"),
    ("coordination.k8s.io", "v1", "leases"),
    ("discovery.k8s.io", "v1", "endpointslices"),
    ("events.k8s.io", "v1", "events"),
    ("networking.k8s.io", "v1", "ingresses"),
    ("node.k8s.io", "v1", "runtimeclasses"),
    ("policy", "v1", "poddisruptionbudgets"),
    ("scheduling.k8s.io", "v1", "priorityclasses"),
    ("storage.k8s.io", "v1", "csinodes"),
]


def _aggregated(api: E2eClient, path: str) -> set[tuple[str, str, str]]:
    answer = api.call("GET", path, accept=AGGREGATED)
    assert answer.code == 200
    return {
        (group["metadata"].get("name", ""), version["version"], resource["resource"])
        for group in answer.body["items"]
        for version in group["versions"]
        for resource in version["resources"]
    }


def test_aggregated_discovery_has_all_built_in_resources(api: E2eClient) -> None:
    assert set(EXPECTED) <= _aggregated(api, "/apis")
    assert ("", "v1", "namespaces") in _aggregated(api, "/api")


def test_aggregated_discovery_has_custom_resources(api: E2eClient) -> None:
    definition = random_definition(api, versions=("v1",))
    assert (definition.group, "v1", definition.plural) in _aggregated(api, "/apis")
    api.delete(definition.own_path)


def test_an_api_service_for_every_version_of_a_custom_resource(api: E2eClient) -> None:
    definition = random_definition(api, versions=("v1", "v2"))
    path = f"/apis/apiregistration.k8s.io/v1/apiservices/v2.{definition.group}"
    service = api.until(path, lambda found: True)
    assert service["status"]["conditions"][0]["reason"] == "Local"
    api.delete(definition.own_path)
    api.until_gone(path)


def test_preferred_version_of_every_group(api: E2eClient) -> None:
    for group in api.get("/apis")["groups"]:
        found = api.get(f"/apis/{group['name']}")
        versions = [one["groupVersion"] for one in found["versions"]]
        assert found["preferredVersion"]["groupVersion"] in versions


def test_group_version_and_a_resource_in_every_group(api: E2eClient) -> None:
    for group in api.get("/apis")["groups"]:
        resources: Any = api.get(f"/apis/{group['preferredVersion']['groupVersion']}")
        assert resources["groupVersion"] == group["preferredVersion"]["groupVersion"]
        assert resources["resources"], group["name"]


def test_server_version(api: E2eClient) -> None:
    version = api.get("/version")
    assert re.fullmatch(r"\d+", version["major"])
    assert re.fullmatch(r"\d+", version["minor"])


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/metrics", "/openapi/v2", "/openapi/v3"])
def test_paths_the_framework_reads(api: E2eClient, path: str) -> None:
    assert api.code(path) == 200


def test_nodes_are_ready_and_schedulable(api: E2eClient) -> None:
    path = "/api/v1/nodes?fieldSelector=spec.unschedulable=false&resourceVersion=0"
    nodes = api.items(path)
    assert len(nodes) == 2
    for node in nodes:
        conditions = {one["type"]: one["status"] for one in node["status"]["conditions"]}
        assert conditions["Ready"] == "True"
        assert conditions.get("NetworkUnavailable", "False") == "False"
        assert not [taint for taint in node["spec"].get("taints", []) if taint["effect"] == "NoSchedule"]


def test_api_service_life_cycle(api: E2eClient, unique: str) -> None:
    path = "/apis/apiregistration.k8s.io/v1/apiservices"
    group = f"wardle-{unique}.example.com"
    spec = {
        "service": {"namespace": "default", "name": "sample-api"},
        "group": group,
        "version": "v1alpha1",
        "insecureSkipTLSVerify": True,
        "groupPriorityMinimum": 2000,
        "versionPriority": 200,
    }
    one = f"{path}/v1alpha1.{group}"
    api.create(path, {"metadata": {"name": f"v1alpha1.{group}", "labels": {"e2e": unique}}, "spec": spec})
    status = api.until(f"{one}/status", lambda found: found["status"].get("conditions"))["status"]
    assert (status["conditions"][0]["type"], status["conditions"][0]["status"]) == ("Available", "False")
    patched = api.patch(one, {"spec": {"versionPriority": 400}})
    assert patched["spec"]["versionPriority"] == 400
    assert f"v1alpha1.{group}" in [found["metadata"]["name"] for found in api.items(path)]
    api.delete(f"{path}?labelSelector=e2e={unique}")
    api.until_gone(one)
