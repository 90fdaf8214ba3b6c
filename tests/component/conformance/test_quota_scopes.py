"""ResourceQuota by scope selectors and by custom resources; LimitRange; both on pods that are resized."""

from __future__ import annotations

from typing import Any

import pytest

from tests.component.conformance.definitions import random_definition
from tests.component.conformance.e2e_client import STRATEGIC_PATCH, E2eClient

CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"


def _quota(api: E2eClient, ns: str, name: str, hard: Any, **spec: Any) -> str:
    path = f"/api/v1/namespaces/{ns}/resourcequotas"
    api.create(path, {"metadata": {"name": name}, "spec": {"hard": hard, **spec}})
    api.until(f"{path}/{name}", lambda found: set(found.get("status", {}).get("used", ())) == set(hard))
    return f"{path}/{name}"


def _selected(scope: str, operator: str, *values: str) -> Any:
    expression = {"scopeName": scope, "operator": operator, **({"values": list(values)} if values else {})}
    return {"matchExpressions": [expression]}


def _used(api: E2eClient, quota: str, **wanted: str) -> None:
    api.until(quota, lambda found: wanted.items() <= found["status"]["used"].items())


def _pod(name: str, resources: Any = None, **spec: Any) -> Any:
    container = {"name": "pause", "image": "registry.k8s.io/pause:3.10", "resources": resources or {}}
    return {"metadata": {"name": name}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 0, **spec}}


def test_the_life_of_a_custom_resource(api: E2eClient, ns: str) -> None:
    definition = random_definition(api, versions=("v1",), namespaced=True)
    counted = f"count/{definition.plural}.{definition.group}"
    quota = _quota(api, ns, "by-kind", {counted: "1"})
    path = definition.path_in(ns)
    obj = {"apiVersion": definition.api_version, "kind": definition.kind}
    api.create(path, {**obj, "metadata": {"name": "one"}})
    _used(api, quota, **{counted: "1"})
    assert api.call("POST", path, {**obj, "metadata": {"name": "two"}}).code == 403
    api.delete(f"{path}/one")
    _used(api, quota, **{counted: "0"})
    api.delete(definition.own_path)


def test_the_life_of_a_claim(api: E2eClient, ns: str) -> None:
    hard = {
        "persistentvolumeclaims": "10",
        "requests.storage": "10Gi",
        "gold.storageclass.storage.k8s.io/requests.storage": "10Gi",
        "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "10",
    }
    quota = _quota(api, ns, "claims", hard)
    path = f"/api/v1/namespaces/{ns}/persistentvolumeclaims"
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "gold"}
    api.create(path, {"metadata": {"name": "claim"}, "spec": spec})
    used = dict.fromkeys(hard, "1Gi") | dict.fromkeys([name for name in hard if "claims" in name], "1")
    _used(api, quota, **used)
    api.delete(f"{path}/claim")
    _used(api, quota, **dict.fromkeys(hard, "0"))


@pytest.mark.parametrize(
    ("operator", "values", "counted"),
    [
        ("In", ["first"], [1, 0]),
        ("In", ["first", "second"], [1, 1]),
        ("NotIn", ["first"], [0, 1]),
        ("Exists", [], [1, 1]),
    ],
)
def test_priority_classes(
    api: E2eClient, ns: str, unique: str, operator: str, values: list[str], counted: list[int]
) -> None:
    for number, name in enumerate(("first", "second")):
        api.create(CLASSES, {"metadata": {"name": f"{name}-{unique}"}, "value": 1000 + number})
    wanted = [f"{value}-{unique}" for value in values]
    quota = _quota(api, ns, "priority", {"pods": "1"}, scopeSelector=_selected("PriorityClass", operator, *wanted))
    path = f"/api/v1/namespaces/{ns}/pods"
    total = 0
    for name, counts in zip(("first", "second"), counted, strict=True):
        answer = api.call("POST", path, _pod(name, priorityClassName=f"{name}-{unique}"))
        total += counts
        assert answer.code == (201 if total <= 1 or not counts else 403)
        _used(api, quota, pods=str(min(total, 1)))
    for name in ("first", "second"):
        api.call("DELETE", f"{path}/{name}", {"gracePeriodSeconds": 0})
        api.delete(f"{CLASSES}/{name}-{unique}")
    _used(api, quota, pods="0")


def test_terminating_and_best_effort_by_selector(api: E2eClient, ns: str) -> None:
    path = f"/api/v1/namespaces/{ns}/pods"
    quotas = {
        scope: _quota(api, ns, scope.lower(), {"pods": "5"}, scopeSelector=_selected(scope, "Exists"))
        for scope in ("Terminating", "NotTerminating", "BestEffort", "NotBestEffort")
    }
    requests = {"requests": {"cpu": "100m", "memory": "20Mi"}, "limits": {"cpu": "1", "memory": "40Mi"}}
    for name, pod, scopes in (
        ("long", _pod("long", requests), {"NotTerminating", "NotBestEffort"}),
        ("short", _pod("short", activeDeadlineSeconds=3600), {"Terminating", "BestEffort"}),
    ):
        api.create(path, pod)
        for scope, quota in quotas.items():
            _used(api, quota, pods=str(int(scope in scopes)))
        api.delete(f"{path}/{name}", {"gracePeriodSeconds": 0})
        for quota in quotas.values():
            _used(api, quota, pods="0")


def test_affinity_across_namespaces(api: E2eClient, ns: str) -> None:
    selector = _selected("CrossNamespacePodAffinity", "Exists")
    quota = _quota(api, ns, "across", {"pods": "1"}, scopeSelector=selector)
    path = f"/api/v1/namespaces/{ns}/pods"
    term = {"topologyKey": "region", "labelSelector": {"matchLabels": {"a": "b"}}}
    api.create(
        path, _pod("plain", affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}})
    )
    _used(api, quota, pods="0")
    across = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{**term, "namespaces": ["x"]}]}}
    api.create(path, _pod("across", affinity=across))
    _used(api, quota, pods="1")
    assert api.call("POST", path, _pod("more", affinity=across)).code == 403


def test_a_quota_holds_when_a_pod_is_resized(api: E2eClient, ns: str) -> None:
    quota = _quota(api, ns, "cpu", {"requests.cpu": "500m"})
    path = f"/api/v1/namespaces/{ns}/pods"
    api.create(path, _pod("one", {"requests": {"cpu": "200m"}}))
    _used(api, quota, **{"requests.cpu": "200m"})

    def resized(cpu: str) -> Any:
        change = {"spec": {"containers": [{"name": "pause", "resources": {"requests": {"cpu": cpu}}}]}}
        return api.call("PATCH", f"{path}/one/resize", change, STRATEGIC_PATCH)

    assert resized("400m").code == 200
    _used(api, quota, **{"requests.cpu": "400m"})
    refused = resized("600m")
    assert refused.code == 403
    assert "exceeded quota: cpu" in refused.body["message"]


def test_a_limit_range_gives_defaults_and_refuses(api: E2eClient, ns: str) -> None:
    names = ("cpu", "memory", "ephemeral-storage")

    def amounts(*values: str) -> dict[str, str]:
        return dict(zip(names, values, strict=True))

    limit = {
        "type": "Container",
        "min": amounts("50m", "100Mi", "100Gi"),
        "max": amounts("500m", "500Mi", "500Gi"),
        "default": amounts("500m", "500Mi", "500Gi"),
        "defaultRequest": amounts("100m", "200Mi", "200Gi"),
    }
    ranges = f"/api/v1/namespaces/{ns}/limitranges"
    api.create(ranges, {"metadata": {"name": "limits"}, "spec": {"limits": [limit]}})
    path = f"/api/v1/namespaces/{ns}/pods"
    made = api.create(path, _pod("no-resources"))["spec"]["containers"][0]["resources"]
    assert made == {"requests": limit["defaultRequest"], "limits": limit["default"]}
    given = {"requests": amounts("300m", "150Mi", "150Gi"), "limits": {"cpu": "300m", "ephemeral-storage": "300Gi"}}
    made = api.create(path, _pod("partial", given))["spec"]["containers"][0]["resources"]
    assert made == {"requests": given["requests"], "limits": {**limit["default"], **given["limits"]}}
    for requested in (amounts("10m", "50Mi", "50Gi"), amounts("600m", "600Mi", "600Gi")):
        assert api.call("POST", path, _pod("refused", {"requests": requested, "limits": requested})).code == 403
    change = {"spec": {"containers": [{"name": "pause", "resources": {"requests": {"cpu": "20m"}}}]}}
    assert api.call("PATCH", f"{path}/partial/resize", change, STRATEGIC_PATCH).code == 403
    current = api.get(f"{ranges}/limits")
    current["spec"]["limits"][0]["min"] = amounts("9m", "49Mi", "49Gi")
    api.update(f"{ranges}/limits", current)
    requested = amounts("10m", "50Mi", "50Gi")
    api.create(path, _pod("small", {"requests": requested, "limits": requested}))
    api.delete(f"{ranges}/limits")
    api.until_gone(f"{ranges}/limits")
