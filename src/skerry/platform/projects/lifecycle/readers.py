"""Lets requesters see their own requests and no others: a ClusterRole of their names, bound to them.

RBAC cannot say "your own". Everybody authenticated may make requests and see tiers (`shipped`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, Resource, name_of
from skerry.kube.resources import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES
from skerry.platform.base.applying import apply
from skerry.platform.base.capability import Context
from skerry.platform.projects.types import PROJECT_REQUESTS, TIERS

_RBAC = "rbac.authorization.k8s.io"


class RequestReaders(Controller):
    """By requester."""

    name = "project-request-readers"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._requests = context.informers.of(PROJECT_REQUESTS)
        self._requests.add_index("requester", _requester_of)
        self._known: dict[str, list[str]] = {}
        self.watch(self._requests, _requester_of)

    async def reconcile(self, key: str) -> float | None:
        """The role of one requester."""
        names = sorted(name_of(one) for one in self._requests.by_index("requester", key))
        if self._known.get(key) == names:
            return None
        role, binding = role_of(key, names)
        if names:
            await apply(self._client, CLUSTER_ROLES, role)
            await apply(self._client, CLUSTER_ROLE_BINDINGS, binding)
            self._known[key] = names
            return None
        for resource, obj in ((CLUSTER_ROLE_BINDINGS, binding), (CLUSTER_ROLES, role)):
            try:
                await self._client.delete(resource, name_of(obj))
            except NotFound:
                continue
        self._known.pop(key, None)
        return None


def _requester_of(request: Obj) -> list[str]:
    requester = (request.get("spec") or {}).get("requester")
    return [requester] if requester else []


def role_of(user: str, requests: Sequence[str]) -> tuple[Obj, Obj]:
    """The ClusterRole and its binding."""
    metadata = {"name": f"skerry:requests:{hashlib.sha256(user.encode()).hexdigest()[:16]}"}
    rule = _rule(PROJECT_REQUESTS, "get", "list", "watch", "delete")
    subject = {"apiGroup": _RBAC, "kind": "User", "name": user}
    role_ref = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": metadata["name"]}
    return (
        {"metadata": metadata, "rules": [{**rule, "resourceNames": list(requests)}]},
        {"metadata": metadata, "roleRef": role_ref, "subjects": [subject]},
    )


def shipped() -> Sequence[Obj]:
    """What everybody who signed in may do."""
    name = "skerry:requester"
    kind = {"apiVersion": f"{_RBAC}/v1", "metadata": {"name": name}}
    rules = [_rule(PROJECT_REQUESTS, "create"), _rule(TIERS, "get", "list", "watch")]
    subject = {"apiGroup": _RBAC, "kind": "Group", "name": "system:authenticated"}
    role_ref = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name}
    return [
        {**kind, "kind": "ClusterRole", "rules": rules},
        {**kind, "kind": "ClusterRoleBinding", "roleRef": role_ref, "subjects": [subject]},
    ]


def _rule(resource: Resource, *verbs: str) -> Obj:
    return {"apiGroups": [resource.group], "resources": [resource.plural], "verbs": list(verbs)}
