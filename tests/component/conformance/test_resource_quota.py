"""ResourceQuota: what is used, of every kind and scope, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.component.conformance.e2e_client import STRATEGIC_PATCH, E2eClient

HARD = {
    "pods": "5",
    "services": "10",
    "services.nodeports": "1",
    "services.loadbalancers": "1",
    "replicationcontrollers": "10",
    "resourcequotas": "1",
    "configmaps": "10",
    "secrets": "10",
    "cpu": "1",
    "memory": "500Mi",
    "count/replicasets.apps": "5",
}


def _quota(api: E2eClient, ns: str, hard: Any, name: str = "test-quota", **spec: Any) -> str:
    path = f"/api/v1/namespaces/{ns}/resourcequotas"
    api.create(path, {"metadata": {"name": name}, "spec": {"hard": hard, **spec}})
    api.until(f"{path}/{name}", lambda found: set(found.get("status", {}).get("used", ())) == set(hard))
    return f"{path}/{name}"


def _used(api: E2eClient, quota: str, **wanted: str) -> None:
    names = {name.replace("__", ".").replace("_of_", "/"): value for name, value in wanted.items()}
    api.until(quota, lambda found: names.items() <= found["status"]["used"].items())


def _pod(name: str, requests: Any = None, **spec: Any) -> Any:
    container = {"name": "pause", "image": "registry.k8s.io/pause:3.10", "resources": {}}
    if requests:
        container["resources"] = {"requests": requests, "limits": requests}
    return {"metadata": {"name": name}, "spec": {"containers": [container], **spec}}


def test_life_of_objects_is_counted(api: E2eClient, ns: str) -> None:
    quota, root = _quota(api, ns, HARD), f"/api/v1/namespaces/{ns}"
    service = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80, "targetPort": 80}]}}
    api.create(f"{root}/services", service)
    port = {"metadata": {"name": "n"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}}
    api.create(f"{root}/services", port)
    balanced = {"metadata": {"name": "l"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}
    assert api.call("POST", f"{root}/services", balanced).code == 403
    _used(api, quota, services="2", services__nodeports="1", services__loadbalancers="0")
    api.create(f"{root}/secrets", {"metadata": {"name": "s"}, "data": {"a": "Yg=="}})
    api.create(f"{root}/configmaps", {"metadata": {"name": "c"}})
    template = {"metadata": {"labels": {"a": "b"}}, "spec": _pod("x")["spec"]}
    controller = {"replicas": 0, "selector": {"a": "b"}, "template": template}
    api.create(f"{root}/replicationcontrollers", {"metadata": {"name": "r"}, "spec": controller})
    sets = f"/apis/apps/v1/namespaces/{ns}/replicasets"
    api.create(sets, {"metadata": {"name": "r"}, "spec": {**controller, "selector": {"matchLabels": {"a": "b"}}}})
    _used(api, quota, secrets="1", configmaps="2", replicationcontrollers="1", count_of_replicasets__apps="1")
    for path in (f"{root}/services/s", f"{root}/services/n", f"{root}/secrets/s", f"{root}/configmaps/c", f"{sets}/r"):
        api.delete(path)
    api.delete(f"{root}/replicationcontrollers/r")
    _used(api, quota, services="0", services__nodeports="0", secrets="0", configmaps="1", replicationcontrollers="0")


def test_life_of_a_pod_is_counted(api: E2eClient, ns: str) -> None:
    quota, path = _quota(api, ns, HARD), f"/api/v1/namespaces/{ns}/pods"
    api.create(path, _pod("test-pod", {"cpu": "500m", "memory": "252Mi"}))
    _used(api, quota, pods="1", cpu="500m", memory="252Mi")
    refused = api.call("POST", path, _pod("fail-pod", {"cpu": "600m", "memory": "100Mi"}))
    assert refused.code == 403
    assert "exceeded quota: test-quota" in refused.body["message"]
    assert api.patch(f"{path}/test-pod", {"metadata": {"labels": {"x": "y"}}}, STRATEGIC_PATCH)
    _used(api, quota, pods="1", cpu="500m")
    api.delete(f"{path}/test-pod", {"gracePeriodSeconds": 0})
    _used(api, quota, pods="0", cpu="0", memory="0")


@pytest.mark.parametrize(
    ("scope", "other", "inside", "outside"),
    [
        ("BestEffort", "NotBestEffort", _pod("in"), _pod("out", {"cpu": "100m", "memory": "10Mi"})),
        ("Terminating", "NotTerminating", _pod("in", activeDeadlineSeconds=3600), _pod("out")),
    ],
)
def test_scopes(api: E2eClient, ns: str, scope: str, other: str, inside: Any, outside: Any) -> None:
    first = _quota(api, ns, {"pods": "5"}, "first", scopes=[scope])
    second = _quota(api, ns, {"pods": "5"}, "second", scopes=[other])
    path = f"/api/v1/namespaces/{ns}/pods"
    for body, here, there in ((inside, first, second), (outside, second, first)):
        api.create(path, body)
        _used(api, here, pods="1")
        _used(api, there, pods="0")
        api.delete(f"{path}/{body['metadata']['name']}", {"gracePeriodSeconds": 0})
        _used(api, here, pods="0")


def test_updates_deletes_and_status(api: E2eClient, ns: str, unique: str) -> None:
    quota = _quota(api, ns, {"cpu": "1", "memory": "500Mi"})
    more = {"cpu": "2", "memory": "1Gi"}
    assert api.change(quota, lambda now: now["spec"].update(hard=more))["spec"]["hard"] == more
    labelled = api.patch(quota, {"metadata": {"labels": {"e2e-rq": unique}}, "spec": {"hard": {"memory": "750Mi"}}})
    assert labelled["spec"]["hard"]["memory"] == "750Mi"
    api.until(quota, lambda found: found["status"]["hard"] == {"cpu": "2", "memory": "750Mi"})
    with api.watch(f"/api/v1/namespaces/{ns}/resourcequotas?labelSelector=e2e-rq={unique}") as watch:
        wrong = {"cpu": "3", "memory": "1Gi"}
        changed = api.change(f"{quota}/status", lambda now: now["status"].update(hard=wrong))
        assert changed["status"]["hard"]["cpu"] == "3"
        watch.until("MODIFIED", lambda seen: seen["status"]["hard"]["cpu"] == "3")
        watch.until("MODIFIED", lambda seen: seen["status"]["hard"]["cpu"] == "2")
    assert len(api.items(f"/api/v1/resourcequotas?labelSelector=e2e-rq={unique}")) == 1
    api.delete(f"/api/v1/namespaces/{ns}/resourcequotas?labelSelector=e2e-rq={unique}")
    api.until_gone(quota)
