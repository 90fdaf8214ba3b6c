"""The objects this capability brings: built-in tiers, roles for people, and its right to read pull secrets."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.objects import Obj
from skerry.platform.base.capability import NAMESPACE
from skerry.platform.projects.roles import roles_for_people
from skerry.platform.projects.tiers import built_in

_RBAC = "rbac.authorization.k8s.io"
_READER = "skerry:pull-secrets"


def shipped() -> Sequence[Obj]:
    """To apply at every start."""
    return [*built_in(), *roles_for_people(), *_reads_pull_secrets()]


def _reads_pull_secrets() -> Sequence[Obj]:
    metadata = {"name": _READER, "namespace": NAMESPACE}
    return [
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "Role",
            "metadata": metadata,
            "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "watch"]}],
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": _READER},
            "subjects": [{"kind": "ServiceAccount", "name": "projects", "namespace": NAMESPACE}],
        },
    ]
