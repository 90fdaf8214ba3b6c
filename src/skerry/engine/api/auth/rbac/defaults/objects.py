"""The default roles and bindings as objects, in the order in which they are made: roles before what binds them.

Put together from the data beside it when the server starts, once. Every one carries the label and the annotation by
which Kubernetes knows its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.api.auth.rbac.defaults.cluster_roles import AGGREGATED, PARTS, ROLES
from skerry.engine.api.auth.rbac.defaults.controller_roles import CONTROLLERS, OURS
from skerry.engine.api.auth.rbac.defaults.namespaced import (
    BOUND_ROLE,
    CLUSTER_BINDINGS,
    NAMESPACE_BINDINGS,
    NAMESPACE_ROLES,
)
from skerry.engine.api.auth.rbac.defaults.notation import rules
from skerry.kube.objects import Obj

GROUP = "rbac.authorization.k8s.io"
AUTO_UPDATE = "rbac.authorization.kubernetes.io/autoupdate"
_SYSTEM = "kube-system"


def cluster_roles() -> Iterator[Obj]:
    """All ClusterRoles. The aggregated ones come with their rules, as the controller will find them."""
    plain = [_role("ClusterRole", name, text) for name, text in ROLES.items()]
    for role in plain:
        if whole := PARTS.get(role["metadata"]["name"]):
            role["metadata"]["labels"][_label(whole)] = "true"
    yield from plain
    yield from _aggregated(plain)
    for name, text in CONTROLLERS.items():
        yield _role("ClusterRole", f"system:controller:{name}", text)
    for name, text in OURS.items():
        yield _role("ClusterRole", f"skerry:controller:{name}", text)


def roles() -> Iterator[Obj]:
    """All Roles."""
    for (namespace, name), text in NAMESPACE_ROLES.items():
        yield _role("Role", name, text, namespace)


def cluster_role_bindings() -> Iterator[Obj]:
    """All ClusterRoleBindings."""
    for name, subjects in CLUSTER_BINDINGS.items():
        yield _binding("ClusterRoleBinding", name, ("ClusterRole", name), subjects)
    for prefix, controllers in (("system", CONTROLLERS), ("skerry", OURS)):
        for controller in controllers:
            name = f"{prefix}:controller:{controller}"
            yield _binding("ClusterRoleBinding", name, ("ClusterRole", name), (f"ServiceAccount {controller}",))


def role_bindings() -> Iterator[Obj]:
    """All RoleBindings."""
    for (namespace, name), subjects in NAMESPACE_BINDINGS.items():
        yield _binding("RoleBinding", name, ("Role", BOUND_ROLE.get(name, name)), subjects, namespace)


def _aggregated(parts: list[Obj]) -> Iterator[Obj]:
    for name, wholes in AGGREGATED.items():
        role = _role("ClusterRole", name, "")
        role["metadata"]["labels"] |= {_label(whole): "true" for whole in wholes}
        role["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": {_label(name): "true"}}]}
        chosen = [part for part in parts if _label(name) in part["metadata"]["labels"]]
        chosen.sort(key=lambda part: str(part["metadata"]["name"]))
        role["rules"] = [rule for part in chosen for rule in part["rules"]]
        parts.append(role)
        yield role


def _label(whole: str) -> str:
    return f"{GROUP}/aggregate-to-{whole}"


def _role(kind: str, name: str, text: str, namespace: str = "") -> Obj:
    return {**_object(kind, name, namespace), "rules": [rule.to_json() for rule in rules(text)]}


def _binding(kind: str, name: str, role: tuple[str, str], subjects: tuple[str, ...], namespace: str = "") -> Obj:
    obj = _object(kind, name, namespace)
    obj["roleRef"] = {"apiGroup": GROUP, "kind": role[0], "name": role[1]}
    if subjects:
        obj["subjects"] = [_subject(*subject.split()) for subject in subjects]
    return obj


def _subject(kind: str, name: str) -> Obj:
    if kind == "ServiceAccount":
        return {"kind": kind, "name": name, "namespace": _SYSTEM}
    return {"kind": kind, "apiGroup": GROUP, "name": name}


def _object(kind: str, name: str, namespace: str) -> Obj:
    metadata: Obj = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = {"kubernetes.io/bootstrapping": "rbac-defaults"}
    metadata["annotations"] = {AUTO_UPDATE: "true"}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata}
