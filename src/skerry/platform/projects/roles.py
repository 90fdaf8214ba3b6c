"""What owners, editors and viewers may do in their namespaces: ClusterRoles that come with the platform.

Like Kubernetes' own admin, edit and view, without what would outlive a membership or reach beyond the project: no
impersonation, no tokens for service accounts, no writing of quotas and limits. What installed operators add to edit and
view (`rbac.authorization.k8s.io/aggregate-to-edit`) counts here as well; Kubernetes' own parts of edit do not.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.objects import Obj
from skerry.platform.projects.types import Role

ROLE_NAMES: dict[Role, str] = {"owner": "skerry:owner", "editor": "skerry:editor", "viewer": "skerry:viewer"}

_RBAC = "rbac.authorization.k8s.io"
_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]
_WORKLOADS: dict[str, list[str]] = {
    "": ["pods", "replicationcontrollers", "replicationcontrollers/scale", "services", "serviceaccounts",
         "persistentvolumeclaims", "configmaps"],
    "apps": ["deployments", "deployments/scale", "statefulsets", "statefulsets/scale", "daemonsets", "replicasets",
             "replicasets/scale"],
    "batch": ["jobs", "cronjobs"],
    "autoscaling": ["horizontalpodautoscalers"],
    "policy": ["poddisruptionbudgets"],
    "networking.k8s.io": ["ingresses", "networkpolicies"],
    "resource.k8s.io": ["resourceclaims", "resourceclaimtemplates"],
    _RBAC: ["roles", "rolebindings"],
}  # fmt: skip
_SEEN: dict[str, list[str]] = {
    "": ["namespaces", "endpoints", "events", "limitranges", "resourcequotas", "resourcequotas/status", "pods/log",
         "pods/status", "services/status", "persistentvolumeclaims/status", "replicationcontrollers/status"],
    "apps": ["controllerrevisions", "deployments/status", "statefulsets/status", "daemonsets/status",
             "replicasets/status"],
    "batch": ["jobs/status", "cronjobs/status"],
    "autoscaling": ["horizontalpodautoscalers/status"],
    "policy": ["poddisruptionbudgets/status"],
    "networking.k8s.io": ["ingresses/status"],
    "discovery.k8s.io": ["endpointslices"],
    "events.k8s.io": ["events"],
    "metrics.k8s.io": ["pods"],
}  # fmt: skip


def roles_for_people() -> Sequence[Obj]:
    """The ClusterRoles: the rules of each, and the wholes that are bound."""
    return [
        _part("viewer", _viewing()),
        _part("editor", _editing()),
        _part("owner", _owning()),
        _whole("viewer", ("viewer",), "view"),
        _whole("editor", ("viewer", "editor"), "view", "edit"),
        _whole("owner", ("viewer", "editor", "owner"), "view", "edit"),
    ]


def _viewing() -> list[Obj]:
    return [_rule(_READ, group, names) for table in (_WORKLOADS, _SEEN) for group, names in table.items()]


def _editing() -> list[Obj]:
    return [
        *(_rule(_WRITE, group, names) for group, names in _WORKLOADS.items()),
        _rule([*_READ, *_WRITE], "", ["secrets"]),
        _rule([*_READ, *_WRITE], "coordination.k8s.io", ["leases"]),
        _rule(["get", "create"], "", ["pods/attach", "pods/exec", "pods/portforward"]),
        _rule(["get", *_WRITE], "", ["pods/proxy", "services/proxy"]),
        _rule(["create"], "", ["pods/eviction"]),
        _rule(["get", "patch", "update"], "", ["pods/ephemeralcontainers", "pods/resize"]),
        _rule(["create", "patch", "update"], "", ["events"]),
        _rule(["create", "patch", "update"], "events.k8s.io", ["events"]),
    ]


def _owning() -> list[Obj]:
    return [_rule(["delete"], "", ["namespaces"]), _rule(["create"], "authorization.k8s.io", [_REVIEWS])]


_REVIEWS = "localsubjectaccessreviews"


def _rule(verbs: Sequence[str], group: str, resources: Sequence[str]) -> Obj:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def _part(role: Role, rules: list[Obj]) -> Obj:
    metadata = {"name": f"skerry:{role}-part", "labels": {f"skerry.dev/aggregate-to-{role}": "true"}}
    return {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules}


def _whole(role: Role, parts: Sequence[Role], *kubernetes: str) -> Obj:
    """Kubernetes' own parts carry a label of their own, by which they are left out."""
    own = [{"matchLabels": {f"skerry.dev/aggregate-to-{part}": "true"}} for part in parts]
    bundled = {"key": "kubernetes.io/bootstrapping", "operator": "DoesNotExist"}
    others = [
        {"matchLabels": {f"{_RBAC}/aggregate-to-{name}": "true"}, "matchExpressions": [bundled]} for name in kubernetes
    ]
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": ROLE_NAMES[role]},
        "aggregationRule": {"clusterRoleSelectors": [*own, *others]},
    }
