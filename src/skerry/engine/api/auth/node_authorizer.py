"""What a node may do: what all nodes may, and of secrets, config maps, claims and volumes those its own pods use.

A node is a user `system:node:<name>` in the group system:nodes. Whether one of its pods uses an object is looked up
when it is asked for: only pods of that namespace that contain the name at all are decoded. Source: Kubernetes'
`plugin/pkg/auth/authorizer/node/node_authorizer.go`, its graph and, for the static rules,
`bootstrappolicy.NodeRules`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from skerry.engine.api.auth.access import NO_OPINION, Access, Authorizer, Decision
from skerry.engine.api.auth.pod_references import CLAIMS, names_used, secrets_of_volume
from skerry.engine.api.auth.rbac.defaults import node_rules
from skerry.engine.api.auth.rbac.rules import allows
from skerry.engine.api.request import User
from skerry.engine.store.contract import Key, Store

NODES, PREFIX = "system:nodes", "system:node:"
LEASES = "kube-node-lease"
_YES = Decision(allowed=True)
_OWN_VERBS = ("get", "create", "update", "patch", "delete")
_Check = Callable[[Access, str], Decision]


def node_of(user: User) -> str:
    """The name of the node a user is; "" for everybody else."""
    if NODES not in user.groups or not user.name.startswith(PREFIX):
        return ""
    return user.name[len(PREFIX) :]


def node_authorizer(store: Store) -> Authorizer:
    """Decides for nodes; has no opinion on others."""
    uses = _Uses(store)
    checks: Mapping[tuple[str, str], _Check] = {
        ("", "secrets"): uses.read,
        ("", "configmaps"): uses.read,
        ("", "persistentvolumeclaims"): uses.claim,
        ("", "persistentvolumes"): uses.get,
        ("storage.k8s.io", "volumeattachments"): uses.attachment,
        ("", "serviceaccounts"): uses.account,
        ("coordination.k8s.io", "leases"): _lease,
        ("storage.k8s.io", "csinodes"): _own,
        ("", "nodes"): _node,
        ("", "pods"): uses.pod,
    }
    rules = node_rules()

    def decide(access: Access) -> Decision:
        name = node_of(access.user)
        if not name:
            return NO_OPINION
        check = checks.get((access.group, access.resource)) if not access.path else None
        if check is not None:
            return check(access, name)
        return _YES if any(allows(rule, access) for rule in rules) else NO_OPINION

    return decide


class _Uses:
    """Whether a pod that is bound to a node uses an object."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, access: Access, node: str) -> Decision:
        if access.verb not in ("get", "list", "watch"):
            return _no("can only read resources of this type")
        if access.subresource:
            return _no("cannot read subresource")
        if not access.namespace:
            return _no("can only read namespaced object of this type")
        return self._related(access, node)

    def get(self, access: Access, node: str) -> Decision:
        if access.verb != "get":
            return _no("can only get individual resources of this type")
        return _no("cannot get subresource") if access.subresource else self._related(access, node)

    def claim(self, access: Access, node: str) -> Decision:
        if access.subresource != "status":
            return self.get(access, node)
        if access.verb not in ("update", "patch"):
            return _no("can only get/update/patch this type")
        return self._related(access, node)

    def account(self, access: Access, node: str) -> Decision:
        if access.verb == "get" and not access.subresource:
            return self._related(access, node)
        if access.verb != "create" or not access.name:
            return _no("can only create tokens for individual service accounts")
        if access.subresource != "token":
            return _no("can only create token subresource of serviceaccount")
        return self._related(access, node)

    def pod(self, access: Access, node: str) -> Decision:
        match access.subresource, access.verb:
            case ("", "get"):
                return self._related(access, node)
            case ("", "list" | "watch"):
                if f"spec.nodeName={node}" in access.fields.replace("==", "=").split(","):
                    return _YES
                if access.name:
                    return self._related(access, node)
                return _no("can only list/watch pods with spec.nodeName field selector")
            case ("", "create" | "delete") | ("status", "update" | "patch") | ("eviction", "create"):
                return _YES  # that they are its own is for the admission plug-in NodeRestriction to say
        return NO_OPINION

    def attachment(self, access: Access, node: str) -> Decision:
        """Those that say whether a volume is at this node."""
        if access.verb != "get":
            return _no("can only get individual resources of this type")
        if access.subresource:
            return _no("cannot get subresource")
        entry = self._store.get(Key("volumeattachments.storage.k8s.io", "", access.name)) if access.name else None
        if entry is not None and entry.shared()["spec"].get("nodeName") == node:
            return _YES
        return _none(access, node)

    def _related(self, access: Access, node: str) -> Decision:
        if not access.name:
            return _no("No Object name found")
        if access.resource == "persistentvolumes":
            found = any(self._used(node, CLAIMS, claim) for claim in self._bound_to(access.name))
        else:
            found = self._used(node, access.resource, Key(access.resource, access.namespace, access.name))
            found = found or (access.resource == "secrets" and self._named_by_volume(access, node))
        return _YES if found else _no(f"no relationship found between node '{node}' and this object")

    def _used(self, node: str, resource: str, key: Key) -> bool:
        """Whether a pod on the node uses an object. The claim of an ephemeral volume has a name made of two."""
        wanted = b"" if resource == CLAIMS else key.name.encode()
        pods = (entry.shared() for entry in self._store.list("pods", key.namespace) if wanted in entry.value)
        return any(pod["spec"].get("nodeName") == node and key.name in names_used(pod, resource) for pod in pods)

    def _named_by_volume(self, access: Access, node: str) -> bool:
        """Whether a volume that one of its pods has a claim on names the secret."""
        wanted, name = (access.namespace, access.name), access.name.encode()
        for entry in self._store.list("persistentvolumes"):
            if name not in entry.value or wanted not in secrets_of_volume(entry.shared()):
                continue
            claim = entry.shared()["spec"].get("claimRef") or {}
            if claim and self._used(node, CLAIMS, Key(CLAIMS, claim.get("namespace", ""), claim.get("name", ""))):
                return True
        return False

    def _bound_to(self, volume: str) -> Iterator[Key]:
        """The claims that have a volume."""
        for entry in self._store.list(CLAIMS):
            if volume.encode() in entry.value and entry.shared()["spec"].get("volumeName") == volume:
                yield entry.key


def _lease(access: Access, node: str) -> Decision:
    if access.verb not in _OWN_VERBS:
        return _no("can only get, create, update, patch, or delete a node lease")
    if access.namespace != LEASES:
        return _no(f'can only access leases in the "{LEASES}" system namespace')
    if access.verb != "create" and access.name != node:
        return _no("can only access node lease with the same name as the requesting node")
    return _YES


def _own(access: Access, node: str) -> Decision:
    if access.verb not in _OWN_VERBS:
        return _no("can only get, create, update, patch, or delete a CSINode")
    if access.subresource:
        return _no("cannot authorize CSINode subresources")
    if access.verb != "create" and access.name != node:
        return _no("can only access CSINode with the same name as the requesting node")
    return _YES


def _node(access: Access, node: str) -> Decision:
    match access.subresource, access.verb:
        case ("", "create" | "update" | "patch") | ("status", "update" | "patch"):
            return _YES  # that it is its own is for the admission plug-in NodeRestriction to say
        case ("", "get" | "list" | "watch"):
            if access.name == node:
                return _YES
            if not access.name:
                return _no(f"node '{node}' cannot read all nodes, only its own Node object")
            return _no(f"node '{node}' cannot read '{access.name}', only its own Node object")
    return NO_OPINION


def _none(access: Access, node: str) -> Decision:
    return _no(f"no relationship found between node '{node}' and this object")


def _no(reason: str) -> Decision:
    return Decision(allowed=False, reason=reason)
