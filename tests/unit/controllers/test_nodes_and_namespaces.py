"""Taints and conditions of nodes, conditions of namespaces that are going."""

from __future__ import annotations

from collections import Counter

import pytest

from skerry.engine.controllers.namespace.conditions import Remaining, deletion_conditions
from skerry.engine.controllers.node_lifecycle.decide import silent_conditions, wanted_taints
from skerry.kube.objects import Obj

from .builders import NOW, node


def with_conditions(one: Obj, **states: str) -> Obj:
    conditions = [{"type": type_, "status": status} for type_, status in states.items()]
    return {**one, "status": {**one["status"], "conditions": conditions}}


def taints(one: Obj) -> set[tuple[str, str]]:
    return {(taint["key"].removeprefix("node.kubernetes.io/"), taint["effect"]) for taint in wanted_taints(one, NOW)}


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({"Ready": "True"}, set()),
        ({"Ready": "False"}, {("not-ready", "NoSchedule"), ("not-ready", "NoExecute")}),
        ({"Ready": "Unknown"}, {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")}),
        ({}, {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")}),
        ({"Ready": "True", "MemoryPressure": "True"}, {("memory-pressure", "NoSchedule")}),
    ],
)
def test_conditions_become_taints(states: dict[str, str], expected: set[tuple[str, str]]) -> None:
    assert taints(with_conditions(node(), **states)) == expected


def test_taints_that_no_longer_apply_go_and_foreign_ones_stay() -> None:
    present = [
        {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"},
        {"key": "gpu", "value": "a", "effect": "NoExecute"},
    ]
    assert wanted_taints(node(taints=present), NOW) == [present[1]]
    assert ("unschedulable", "NoSchedule") in taints(node(unschedulable=True))
    settled = node(unschedulable=True)
    settled["spec"]["taints"] = wanted_taints(settled, NOW)
    assert wanted_taints(settled, NOW) == settled["spec"]["taints"]


def test_a_silent_node_is_unknown_once() -> None:
    silent = silent_conditions(node(), NOW)
    assert {one["type"]: one["status"] for one in silent} == dict.fromkeys(
        ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure"), "Unknown"
    )
    assert silent[0]["message"] == "Kubelet stopped posting node status."
    again = {**node(), "status": {"conditions": silent}}
    assert silent_conditions(again, NOW) == silent


def test_what_remains_of_a_namespace_is_listed() -> None:
    left = Remaining(Counter({"pods.": 2, "deployments.apps": 1}), Counter({"x/hold": 1}), ["secrets: no"])
    found = {one["type"]: one for one in deletion_conditions([], left, NOW)}
    assert found["NamespaceContentRemaining"]["message"] == (
        "Some resources are remaining: deployments.apps has 1 resource instances, pods. has 2 resource instances"
    )
    assert found["NamespaceFinalizersRemaining"]["status"] == "True"
    assert found["NamespaceDeletionContentFailure"]["status"] == "True"
    after = {one["type"]: one["status"] for one in deletion_conditions(list(found.values()), Remaining(), NOW)}
    assert set(after.values()) == {"False"}
