"""rbac.authorization.k8s.io/v1: who may do what."""

from __future__ import annotations

from skerry.engine.schema.kinds.declare import Group
from skerry.engine.schema.kinds.rbac.roles import RoleBindingStrategy, RoleStrategy
from skerry.engine.schema.names import path_segment

GROUP = Group("rbac.authorization.k8s.io", "v1", "io.k8s.api.rbac")

KINDS = [
    GROUP.kind(
        "clusterrolebindings",
        "ClusterRoleBinding",
        namespaced=False,
        name_rule=path_segment,
        strategy=RoleBindingStrategy(),
    ),
    GROUP.kind("clusterroles", "ClusterRole", namespaced=False, name_rule=path_segment, strategy=RoleStrategy()),
    GROUP.kind("rolebindings", "RoleBinding", name_rule=path_segment, strategy=RoleBindingStrategy()),
    GROUP.kind("roles", "Role", name_rule=path_segment, strategy=RoleStrategy()),
]
