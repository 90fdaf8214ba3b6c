"""Fields of Services of type LoadBalancer: what only they may have, and what may not change."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.schema.kinds.core.service_balancing import (
    check_balancing,
    check_balancing_kept,
    check_status,
    default_status,
)
from skerry.kube.objects import Obj

RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"


def complaints(annotations: dict[str, str] | None = None, **spec: Any) -> dict[str, str]:
    obj = {"metadata": {"annotations": annotations or {}}, "spec": {"type": "LoadBalancer", **spec}}
    return {cause.field: cause.message for cause in check_balancing(obj)}


def test_what_is_fine() -> None:
    assert complaints(loadBalancerSourceRanges=["10.0.0.0/8", " fd00::/8"], loadBalancerClass="example.com/lb") == {}
    assert (
        complaints({RANGES: "10.0.0.0/8, 192.0.2.0/24"}, externalTrafficPolicy="Local", healthCheckNodePort=30000) == {}
    )
    assert complaints({RANGES: " "}) == {}


@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("spec.loadBalancerSourceRanges", {"loadBalancerSourceRanges": ["10.0.0.0/8"]}),
        ("spec.allocateLoadBalancerNodePorts", {"allocateLoadBalancerNodePorts": False}),
        ("spec.loadBalancerClass", {"loadBalancerClass": "example.com/lb"}),
    ],
)
def test_other_types_may_not_have_them(field: str, spec: dict[str, Any]) -> None:
    assert complaints(type="ClusterIP", **spec) == {field: "Forbidden: may only be used when `type` is 'LoadBalancer'"}


def test_values_that_are_wrong() -> None:
    found = complaints(loadBalancerSourceRanges=["10.0.0.0/8", "everybody", "10.0.0.1"], loadBalancerClass="Not a name")
    assert sorted(found) == [
        "spec.loadBalancerClass",
        "spec.loadBalancerSourceRanges[1]",
        "spec.loadBalancerSourceRanges[2]",
    ]
    assert "must be a valid CIDR value" in complaints({RANGES: "everybody"})[f"metadata.annotations[{RANGES}]"]
    assert "externalTrafficPolicy" in complaints(healthCheckNodePort=30000)["spec.healthCheckNodePort"]


def test_what_may_not_change() -> None:
    was: Obj = {"type": "LoadBalancer", "loadBalancerClass": "a.example/x", "externalTrafficPolicy": "Local"}
    was["healthCheckNodePort"] = 30000
    changed = {**was, "loadBalancerClass": "b.example/x", "healthCheckNodePort": 30001}
    assert [cause.field for cause in check_balancing_kept(changed, was)] == [
        "spec.loadBalancerClass",
        "spec.healthCheckNodePort",
    ]
    assert list(check_balancing_kept({"type": "ClusterIP"}, was)) == []


def test_a_status_says_where_packets_go() -> None:
    points = [
        {"ip": "192.0.2.1"},
        {"ip": "nowhere"},
        {"hostname": "192.0.2.1"},
        {"ipMode": "VIP"},
        {"ip": "192.0.2.1", "ipMode": "Magic"},
    ]
    obj = {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": points}}}
    default_status(obj)
    assert points[0]["ipMode"] == "VIP"
    fields = [cause.field.removeprefix("status.loadBalancer.ingress") for cause in check_status(obj)]
    assert fields == ["[1].ip", "[2].hostname", "[3].ipMode", "[4].ipMode"]
    other = {"spec": {"type": "NodePort"}, "status": {"loadBalancer": {"ingress": points[:1]}}}
    assert [cause.field for cause in check_status(other)] == ["status.loadBalancer.ingress"]
