"""Which groups and versions are shown before others."""

from __future__ import annotations

from skerry.engine.api.discovery.order import in_order

HERE = {"": ["v1"], "apps": ["v1"], "apiregistration.k8s.io": ["v1"], "example.com": ["v1", "v2"]}
PRIORITIES = {("", "v1"): (18_000, 1), ("apps", "v1"): (17_800, 15), ("example.com", "v1"): (1_000, 100)}


def test_by_priority_with_the_group_of_api_services_first() -> None:
    assert [*in_order(HERE, (), PRIORITIES)] == ["apiregistration.k8s.io", "", "apps", "example.com"]
    late = {**PRIORITIES, ("a.example.com", "v1"): (999, 1), ("b.example.com", "v1"): (19_000, 1)}
    elsewhere = [("a.example.com", "v1"), ("b.example.com", "v1")]
    found = [*in_order(HERE, elsewhere, late)]
    assert found == ["apiregistration.k8s.io", "b.example.com", "", "apps", "example.com", "a.example.com"]


def test_versions_by_priority_then_as_kubernetes_orders_names() -> None:
    assert in_order(HERE, (), {})["example.com"] == ["v2", "v1"]
    assert in_order(HERE, (), PRIORITIES)["example.com"] == ["v1", "v2"]
    elsewhere = [("example.com", "v3alpha1"), ("example.com", "v1")]
    assert in_order(HERE, elsewhere, {})["example.com"] == ["v2", "v1", "v3alpha1"]


def test_groups_of_the_same_priority_by_name() -> None:
    same = {("b", "v1"): (1_000, 1), ("a", "v1"): (1_000, 1)}
    assert [*in_order({}, same, same)] == ["a", "b"]
