"""What identity ships: the operators' rights, and a role to read its own secrets with."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.objects import Obj
from skerry.platform.base.capability import NAMESPACE
from skerry.platform.base.language import N_
from skerry.platform.identity.naming import PRIVATE
from skerry.platform.identity.types import IDENTITY_PROVIDERS, LOCAL, OPERATORS

_RBAC = "rbac.authorization.k8s.io"


def shipped() -> Sequence[Obj]:
    """The objects to apply."""
    return [_operators(), _private(), _role(), _role_binding(), _local()]


def _operators() -> Obj:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": OPERATORS},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": OPERATORS}],
    }


def _private() -> Obj:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PRIVATE}}


def _role() -> Obj:
    """Secrets in a namespace of its own, and nowhere else."""
    verbs = ["get", "create", "update", "delete"]
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": "skerry:identity", "namespace": PRIVATE},
        "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": verbs}],
    }


def _role_binding() -> Obj:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "skerry:identity", "namespace": PRIVATE},
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": "skerry:identity"},
        "subjects": [{"kind": "ServiceAccount", "name": "identity", "namespace": NAMESPACE}],
    }


def _local() -> Obj:
    """Accounts with passwords; nobody has one until an operator gives somebody a link."""
    metadata, spec = {"name": LOCAL}, {"type": "Local", "displayName": N_("this cluster")}
    return {
        "apiVersion": IDENTITY_PROVIDERS.api_version,
        "kind": IDENTITY_PROVIDERS.kind,
        "metadata": metadata,
        "spec": spec,
    }
