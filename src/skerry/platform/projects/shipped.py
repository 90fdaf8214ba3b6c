"""The objects this capability brings: built-in tiers, roles for people, and its right to read pull secrets."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.objects import Obj
from skerry.platform.base.capability import NAMESPACE
from skerry.platform.projects.lifecycle.archiving.packing import ARCHIVES
from skerry.platform.projects.roles import roles_for_people
from skerry.platform.projects.tiers import built_in
from skerry.platform.projects.types import PULL_SECRETS

_RBAC = "rbac.authorization.k8s.io"
_READER, _ARCHIVER = "skerry:pull-secrets", "skerry:archives"


def shipped() -> Sequence[Obj]:
    """To apply at every start."""
    return [*built_in(), *roles_for_people(), *_reads_pull_secrets(), *_keeps_archives()]


def _reads_pull_secrets() -> Sequence[Obj]:
    return [_namespace(PULL_SECRETS), *_may_in(PULL_SECRETS, _READER, ["list", "watch"])]


def _keeps_archives() -> Sequence[Obj]:
    """It writes them and need not read them."""
    return [_namespace(ARCHIVES), *_may_in(ARCHIVES, _ARCHIVER, ["create", "patch", "delete"])]


def _namespace(name: str) -> Obj:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _may_in(namespace: str, name: str, verbs: Sequence[str]) -> Sequence[Obj]:
    """The right to Secrets of one namespace."""
    metadata = {"name": name, "namespace": namespace}
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": list(verbs)}
    binding = {
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "projects", "namespace": NAMESPACE}],
    }
    of = {"apiVersion": f"{_RBAC}/v1", "metadata": metadata}
    return [{**of, "kind": "Role", "rules": [rule]}, {**of, "kind": "RoleBinding", **binding}]
