"""Which rules an aggregated role gets."""

from __future__ import annotations

from skerry.engine.api.auth.rbac.defaults import objects
from skerry.engine.controllers.role_aggregation import aggregated
from skerry.kube.objects import Obj, name_of


def role(name: str, *resources: str, **labels: str) -> Obj:
    rules = [{"verbs": ["get"], "apiGroups": [""], "resources": [resource]} for resource in resources]
    return {"metadata": {"name": name, "labels": labels}, "rules": rules}


def test_rules_come_in_the_order_of_names_each_once() -> None:
    whole = {**role("whole", team="a"), "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"team": "a"}}]}}
    roles = [role("c", "nodes", "pods", team="a"), role("b", "pods", team="a"), role("d", "secrets", team="b"), whole]
    assert [rule["resources"] for rule in aggregated(whole, roles)] == [["pods"], ["nodes"]]


def test_the_default_roles_are_as_the_controller_would_make_them() -> None:
    roles = list(objects.cluster_roles())
    for name in ("view", "edit", "admin"):
        (found,) = (one for one in roles if name_of(one) == name)
        assert aggregated(found, roles) == found["rules"]
