"""Who the platform's parts are: a service account for each capability, with a ClusterRole of exactly its rights.

The platform itself (the credentials it was started with) reads for the shared caches and impersonates these accounts;
it writes as nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, NAMESPACES, SERVICE_ACCOUNTS
from skerry.platform.base.capability import NAMESPACE, Capability

_GROUP = "rbac.authorization.k8s.io"


def account_of(capability: str) -> str:
    """The user name of a capability's service account."""
    return f"system:serviceaccount:{NAMESPACE}:{capability}"


def rights_of(capabilities: Iterable[Capability]) -> Iterable[tuple[Resource, Obj]]:
    """The namespace, accounts, roles and bindings."""
    yield NAMESPACES, {"metadata": {"name": NAMESPACE}}
    for one in capabilities:
        name = f"skerry:{one.name}"
        subject = {"kind": "ServiceAccount", "name": one.name, "namespace": NAMESPACE}
        role = {"apiGroup": _GROUP, "kind": "ClusterRole", "name": name}
        yield SERVICE_ACCOUNTS, {"metadata": {"name": one.name, "namespace": NAMESPACE}}
        yield CLUSTER_ROLES, {"metadata": {"name": name}, "rules": list(one.rights)}
        yield CLUSTER_ROLE_BINDINGS, {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]}
