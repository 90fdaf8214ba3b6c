"""What the catalogue ships: everybody's namespace, the catalogue that comes with the platform, rights, settings."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.objects import Obj
from skerry.platform.base.capability import INITIAL, NAMESPACE
from skerry.platform.catalog.installed import shipped_charts
from skerry.platform.catalog.settings import NAME as SETTINGS
from skerry.platform.catalog.types import CATALOGS, GLOBAL_NAMESPACE, SHIPPED

_RBAC = "rbac.authorization.k8s.io"
_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]
PUBLISHER = "publisher"
"""As whom administrators without a token of the platform's push charts: its tokens are theirs to make."""
READER = "skerry:catalogs"


def shipped() -> Sequence[Obj]:
    """To apply at every start."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": GLOBAL_NAMESPACE}},
        *_everybody_reads(),
        _part("view", {"apiGroups": ["skerry.dev"], "resources": ["catalogs", "catalogentries"], "verbs": _READ}),
        _part("edit", {"apiGroups": ["skerry.dev"], "resources": ["catalogs"], "verbs": [*_WRITE, "push"]}),
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": PUBLISHER, "namespace": GLOBAL_NAMESPACE},
        },
        *_publishes(),
        _settings(),
        _catalog(),
    ]


def _everybody_reads() -> Sequence[Obj]:
    metadata = {"name": READER, "namespace": GLOBAL_NAMESPACE}
    rules = [
        {"apiGroups": ["skerry.dev"], "resources": ["catalogs", "catalogentries"], "verbs": _READ},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": _READ},
    ]
    subject = {"apiGroup": _RBAC, "kind": "Group", "name": "system:authenticated"}
    role = {"apiGroup": _RBAC, "kind": "Role", "name": READER}
    return [
        {"apiVersion": f"{_RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": role,
            "subjects": [subject],
        },
    ]


def _publishes() -> Sequence[Obj]:
    """Of an account that has no token until somebody makes one, which operators may."""
    metadata = {"name": f"{READER}:{PUBLISHER}"}
    rules = [
        {"apiGroups": ["skerry.dev"], "resources": ["catalogs", "catalogentries"], "verbs": ["get", "list"]},
        {"apiGroups": ["skerry.dev"], "resources": ["catalogs"], "verbs": ["push"]},
    ]
    subject = {"kind": "ServiceAccount", "name": PUBLISHER, "namespace": GLOBAL_NAMESPACE}
    role = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": metadata["name"]}
    return [
        {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": metadata,
            "roleRef": role,
            "subjects": [subject],
        },
    ]


def _part(of: str, rule: Obj) -> Obj:
    """What is added to Kubernetes' own role of this name, and with it to those of projects' members."""
    labels = {f"{_RBAC}/aggregate-to-{of}": "true"}
    if of == "edit":
        labels[f"{_RBAC}/aggregate-to-admin"] = "true"
    metadata = {"name": f"{READER}:{of}", "labels": labels}
    return {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": metadata, "rules": [rule]}


def _settings() -> Obj:
    """The operators' once it is there."""
    metadata = {"name": SETTINGS, "namespace": NAMESPACE, "annotations": {INITIAL: ""}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"directories": "", "addresses": ""}}


def _catalog() -> Obj:
    return {
        "apiVersion": CATALOGS.api_version,
        "kind": CATALOGS.kind,
        "metadata": {"name": SHIPPED, "namespace": GLOBAL_NAMESPACE},
        "spec": {
            "type": "Directory",
            "path": str(shipped_charts()),
            "displayName": "Skerry",
            "description": "What comes with the platform.",
            "keep": "All",
        },
    }
