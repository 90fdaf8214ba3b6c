"""What the capability may do in the cluster, by part: rules of its ClusterRole, as small as they can be."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.objects import Obj
from skerry.platform.base.access import MAY_ASK
from skerry.platform.projects.roles import ROLE_NAMES

_KEEP = ["list", "watch", "create", "patch", "delete"]
_RBAC = "rbac.authorization.k8s.io"

TENANCY: Sequence[Obj] = (
    {"apiGroups": ["skerry.dev"], "resources": ["projects", "tiers"], "verbs": ["get", "list", "watch"]},
    # the rights that its people are given on their Project: nobody can give what he has not
    {"apiGroups": ["skerry.dev"], "resources": ["projects"], "verbs": ["update", "patch", "divide", "manage"]},
    {"apiGroups": ["skerry.dev"], "resources": ["projects/namespaces"], "verbs": ["create"]},
    {"apiGroups": ["skerry.dev"], "resources": ["projects/status"], "verbs": ["update", "patch"]},
    {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", *_KEEP]},
    {"apiGroups": [""], "resources": ["resourcequotas", "limitranges", "serviceaccounts"], "verbs": _KEEP},
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "patch", "delete"]},
    {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": _KEEP},
    {"apiGroups": ["scheduling.k8s.io"], "resources": ["priorityclasses"], "verbs": _KEEP},
    {"apiGroups": [_RBAC], "resources": ["rolebindings", "clusterroles", "clusterrolebindings"], "verbs": _KEEP},
    {
        "apiGroups": [_RBAC],
        "resources": ["clusterroles"],
        "resourceNames": list(ROLE_NAMES.values()),
        "verbs": ["bind"],
    },
    MAY_ASK,
)
"""Pull secrets are read by a Role in skerry-pull-secrets (`shipped`); copies are written only."""
