"""The objects this capability brings: built-in tiers, roles for people, and its right to read pull secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skerry.kube.objects import Obj
from skerry.platform.base.capability import INITIAL, NAMESPACE
from skerry.platform.projects.lifecycle.archiving.packing import ARCHIVES
from skerry.platform.projects.roles import roles_for_people
from skerry.platform.projects.tiers import built_in
from skerry.platform.projects.types import PULL_SECRETS

_RBAC = "rbac.authorization.k8s.io"
_ROOM = "500Gi"
"""What all archives may take, until operators say otherwise."""
_READER, _ARCHIVER = "skerry:pull-secrets", "skerry:archives"


def shipped() -> Sequence[Obj]:
    """To apply at every start."""
    return [*built_in(), *roles_for_people(), *_reads_pull_secrets(), *_keeps_archives()]


def _reads_pull_secrets() -> Sequence[Obj]:
    return [_namespace(PULL_SECRETS), *_may_in(PULL_SECRETS, _READER, {"secrets": ["list", "watch"]})]


def _keeps_archives() -> Sequence[Obj]:
    """It writes Secrets and need not read them; its pods read volumes as root, reach nothing and are operators' alone.
    How much all archives may take is operators' to say."""
    rights = {
        "secrets": ["create", "patch", "delete"],
        "persistentvolumeclaims": ["get", "list", "create", "patch", "delete"],
        "pods": ["get", "list", "create", "delete"],
    }
    of = {"namespace": ARCHIVES, "name": ARCHIVES}
    room = {**of, "annotations": {INITIAL: "true"}}
    return [
        _namespace(ARCHIVES, {"pod-security.kubernetes.io/enforce": "privileged"}),
        *_may_in(ARCHIVES, _ARCHIVER, rights),
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": of,
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        },
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": room,
            "spec": {"hard": {"requests.storage": _ROOM}},
        },
    ]


def _namespace(name: str, labels: Mapping[str, str] | None = None) -> Obj:
    metadata: Obj = {"name": name, **({"labels": dict(labels)} if labels else {})}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _may_in(namespace: str, name: str, rights: Mapping[str, Sequence[str]]) -> Sequence[Obj]:
    """Rights in one namespace: verbs by resource."""
    metadata = {"name": name, "namespace": namespace}
    rules = [{"apiGroups": [""], "resources": [one], "verbs": list(verbs)} for one, verbs in rights.items()]
    binding = {
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "projects", "namespace": NAMESPACE}],
    }
    of = {"apiVersion": f"{_RBAC}/v1", "metadata": metadata}
    return [{**of, "kind": "Role", "rules": rules}, {**of, "kind": "RoleBinding", **binding}]
