"""What the capability may do itself: see releases, and make the accounts that carry them out. Nothing in projects."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.objects import Obj
from skerry.platform.base.capability import NAMESPACE
from skerry.platform.releases.accounts import HOME

_RBAC = "rbac.authorization.k8s.io"
_SEE = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]

_FOLLOWED = {
    "": ["services", "configmaps"],
    "apps": ["deployments", "statefulsets", "daemonsets"],
    "batch": ["cronjobs"],
    "networking.k8s.io": ["ingresses"],
}
"""What releases made is looked at again when it changes."""

RIGHTS: Sequence[Obj] = (
    {"apiGroups": ["skerry.dev"], "resources": ["releases"], "verbs": [*_SEE, "update", "patch"]},
    {"apiGroups": ["skerry.dev"], "resources": ["releases/status"], "verbs": ["update", "patch"]},
    {"apiGroups": ["skerry.dev"], "resources": ["catalogentries"], "verbs": _SEE},
    {"apiGroups": [""], "resources": ["namespaces", "nodes"], "verbs": _SEE},
    *({"apiGroups": [group], "resources": names, "verbs": ["list", "watch"]} for group, names in _FOLLOWED.items()),
    # for namespaces of no project: their account may administer them
    {"apiGroups": [_RBAC], "resources": ["rolebindings"], "verbs": ["create"]},
    {"apiGroups": [_RBAC], "resources": ["clusterroles"], "resourceNames": ["admin"], "verbs": ["bind"]},
)


def shipped() -> Sequence[Obj]:
    """The namespace of accounts, the right to make them and their tokens, and what people may do with releases."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME}},
        *_right_to_accounts(),
        _part_of("viewer", _SEE),
        _part_of("editor", [*_SEE, *_WRITE]),
    ]


def _right_to_accounts() -> Sequence[Obj]:
    metadata = {"name": "skerry:releases", "namespace": HOME}
    accounts = {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["create"]}
    tokens = {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}
    return [
        {"apiVersion": f"{_RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": [accounts, tokens]},
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": metadata["name"]},
            "subjects": [{"kind": "ServiceAccount", "name": "releases", "namespace": NAMESPACE}],
        },
    ]


def _part_of(role: str, verbs: Sequence[str]) -> Obj:
    """Added to what a project's people may do. Not to Kubernetes' own roles: in namespaces of no project a release is
    carried out as its administrator, so only administrators may write one there."""
    metadata = {"name": f"skerry:releases-{role}", "labels": {f"skerry.dev/aggregate-to-{role}": "true"}}
    rules = [{"apiGroups": ["skerry.dev"], "resources": ["releases"], "verbs": list(verbs)}]
    return {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules}
