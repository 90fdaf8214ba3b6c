"""What is asked of the server itself: health checks by name, timeouts, components, bindings without a pod's path."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.component.conformance.e2e_client import E2eClient
from tests.support.kubectl import Kubectl

HOOKS = (
    "start-kube-apiserver-admission-initializer",
    "generic-apiserver-start-informers",
    "start-apiextensions-informers",
    "start-apiextensions-controllers",
    "crd-informer-synced",
    "bootstrap-controller",
    "start-system-namespaces-controller",
    "scheduling/bootstrap-system-priority-classes",
    "start-cluster-authentication-info-controller",
    "start-kube-aggregator-informers",
    "apiservice-registration-controller",
    "apiservice-status-available-controller",
    "kube-apiserver-autoregistration",
    "apiservice-openapi-controller",
)
CHECKS = ["ping", "log", "etcd", "autoregister-completion", *(f"poststarthook/{hook}" for hook in HOOKS)]


@pytest.mark.parametrize(("path", "more"), [("/healthz", []), ("/livez", []), ("/readyz", ["informer-sync"])])
def test_contains_the_necessary_checks(api: E2eClient, path: str, more: list[str]) -> None:
    said = api.call("GET", f"{path}?verbose=1").body.splitlines()
    assert {f"[+]{check} ok" for check in CHECKS + more} <= set(said)
    assert api.call("GET", f"{path}/poststarthook/crd-informer-synced").body == "ok"


def test_an_invalid_timeout_is_refused(api: E2eClient) -> None:
    refused = api.call("GET", "/version?timeout=invalid")
    assert refused.code == 400
    assert "invalid timeout specified in the request URL" in refused.body["message"]
    assert api.code("/version?timeout=3m") == 200
    assert api.code("/version?timeout=0s") == 200


async def test_gets_component_statuses(api: E2eClient, kubeconfig: Path, tmp_path: Path) -> None:
    kubectl = Kubectl(kubeconfig, tmp_path)
    shown = (await kubectl("get", "componentstatuses", "-o", "jsonpath={.items[*].metadata.name}")).out.split()
    assert {"scheduler", "controller-manager", "etcd-0"} <= set(shown)
    for name in shown:
        one = await kubectl("get", "componentstatuses", name)
        assert one.out.split() == ["NAME", "STATUS", "MESSAGE", "ERROR", name, "Healthy", "ok"]
        assert "ComponentStatus is deprecated" in one.err
    assert api.call("GET", "/api/v1/componentstatuses/none").code == 404


def test_a_binding_named_after_its_pod(api: E2eClient, ns: str) -> None:
    pods = f"/api/v1/namespaces/{ns}/pods"
    pod = {"containers": [{"name": "web", "image": "one"}], "schedulerName": "nobody"}
    api.create(pods, {"metadata": {"name": "one"}, "spec": pod})
    binding = {"metadata": {"name": "one"}, "target": {"kind": "Node", "name": "node-1"}}
    api.create(f"/api/v1/namespaces/{ns}/bindings", binding)
    assert api.get(f"{pods}/one")["spec"]["nodeName"] == "node-1"
    assert api.call("POST", f"/api/v1/namespaces/{ns}/bindings", binding).code == 409
    assert api.call("POST", f"/api/v1/namespaces/{ns}/bindings", {"target": {"name": "node-1"}}).code == 400
