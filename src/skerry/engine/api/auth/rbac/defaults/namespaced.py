"""Default Roles in the system namespaces, and all default bindings. Source: Kubernetes 1.36,
`bootstrappolicy/{namespace_policy, policy}.go`; see `notation` for how rules are written. Subjects are `Kind name`,
service accounts of kube-system by name.
"""

from __future__ import annotations

from collections.abc import Mapping

_SECRETS = "read core secrets"

NAMESPACE_ROLES: Mapping[tuple[str, str], str] = {
    ("kube-system", "extension-apiserver-authentication-reader"): (
        "read core configmaps=extension-apiserver-authentication"
    ),
    ("kube-system", "system:controller:bootstrap-signer"): _SECRETS,
    ("kube-system", "system:controller:cloud-provider"): "create,read core configmaps",
    # The DNS server keeps its own Service; in other clusters whoever installs CoreDNS does.
    ("kube-system", "skerry:kube-dns"): "get,create,update core services endpoints",
    ("kube-system", "skerry:ingress-controller"): """
        get,create,update core services endpoints
        create core secrets configmaps
    """,
    ("kube-system", "system:controller:token-cleaner"): "read,delete core secrets\nevents",
    ("kube-system", "system::leader-locking-kube-controller-manager"): """
        watch core configmaps
        get,update core configmaps=kube-controller-manager
    """,
    ("kube-system", "system::leader-locking-kube-scheduler"): """
        watch core configmaps
        get,update core configmaps=kube-scheduler
    """,
    ("kube-public", "system:controller:bootstrap-signer"): """
        read core configmaps
        update core configmaps=cluster-info
        events
    """,
}

NAMESPACE_BINDINGS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("kube-system", "system::leader-locking-kube-controller-manager"): (
        "User system:kube-controller-manager",
        "ServiceAccount kube-controller-manager",
    ),
    ("kube-system", "system::leader-locking-kube-scheduler"): (
        "User system:kube-scheduler",
        "ServiceAccount kube-scheduler",
    ),
    ("kube-system", "system:controller:bootstrap-signer"): ("ServiceAccount bootstrap-signer",),
    ("kube-system", "system:controller:cloud-provider"): ("ServiceAccount cloud-provider",),
    ("kube-system", "skerry:kube-dns"): ("ServiceAccount kube-dns",),
    ("kube-system", "skerry:ingress-controller"): ("ServiceAccount ingress-controller",),
    ("kube-system", "system:controller:token-cleaner"): ("ServiceAccount token-cleaner",),
    ("kube-system", "system::extension-apiserver-authentication-reader"): (
        "User system:kube-controller-manager",
        "User system:kube-scheduler",
    ),
    ("kube-public", "system:controller:bootstrap-signer"): ("ServiceAccount bootstrap-signer",),
}
"""Each binds the role of its own name, but for those in `BOUND_ROLE`."""

BOUND_ROLE: Mapping[str, str] = {
    "system::extension-apiserver-authentication-reader": "extension-apiserver-authentication-reader"
}

CLUSTER_BINDINGS: Mapping[str, tuple[str, ...]] = {
    "cluster-admin": ("Group system:masters",),
    "system:monitoring": ("Group system:monitoring",),
    "system:discovery": ("Group system:authenticated",),
    "system:basic-user": ("Group system:authenticated",),
    "system:public-info-viewer": ("Group system:authenticated", "Group system:unauthenticated"),
    "system:node-proxier": ("User system:kube-proxy",),
    "system:kube-controller-manager": ("User system:kube-controller-manager",),
    "system:kube-dns": ("ServiceAccount kube-dns",),
    "system:kube-scheduler": ("User system:kube-scheduler",),
    "system:volume-scheduler": ("User system:kube-scheduler",),
    "system:node": (),
    "system:service-account-issuer-discovery": ("Group system:serviceaccounts",),
}
"""Each binds the ClusterRole of its own name."""
