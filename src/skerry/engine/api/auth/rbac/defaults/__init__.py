"""The roles and bindings every Kubernetes 1.36 cluster has, as compact data, and how they are kept."""

from __future__ import annotations

from skerry.engine.api.auth.rbac.defaults.cluster_roles import NODE
from skerry.engine.api.auth.rbac.defaults.notation import rules
from skerry.engine.api.auth.rbac.rules import Rule


def node_rules() -> tuple[Rule, ...]:
    """What every node may do, but for the resources of which it may see its own only (role system:node)."""
    return rules(NODE)
