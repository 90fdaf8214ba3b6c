"""A node writes about itself: its own Node, lease and CSINode, the status of its own pods, tokens for them.

What it may write at all is the node authorizer's. Source: Kubernetes' `plugin/pkg/admission/noderestriction`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import Plugin
from skerry.engine.api.admission.node_audiences import check_audience
from skerry.engine.api.admission.refusal import refused
from skerry.engine.api.admission.service_account import MIRROR
from skerry.engine.api.auth.access import Authorizer
from skerry.engine.api.auth.node_authorizer import LEASES, node_of
from skerry.engine.store.contract import Key, Store
from skerry.kube.objects import Obj, annotations_of, labels_of, uid_of

_OWN_LABELS = frozenset({
    "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os",
    "beta.kubernetes.io/arch", "beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/zone", "topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
})  # fmt: skip
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
_OWN_LABEL_SPACES = ("kubelet.kubernetes.io", "node.kubernetes.io")
_RESERVED_SPACES = ("kubernetes.io", "k8s.io")
_POD_PARTS = ("binding", "exec", "attach", "portforward", "proxy", "log", "resize", "ephemeralcontainers")


def node_restriction(store: Store, control_plane: str, decide: Authorizer) -> Plugin:
    """The plug-in, looking pods up in `store`. Others than nodes are let pass. `control_plane`: the node this server is
    on, which may say so in a label; `decide`: for whom else than its pods' volumes name a node may have tokens."""

    def admit_token(attributes: Attributes) -> None:
        """In the first phase: in the second, who asked for no audience has the API's own."""
        if attributes.target.subresource != "token" or not (node := node_of(attributes.user)):
            return
        check_audience(attributes, _pod_of_token(attributes, node, store), store, decide)

    def validate(attributes: Attributes) -> None:
        if attributes.resource == "serviceaccounts" or not (node := node_of(attributes.user)):
            return
        _CHECKS[attributes.resource](attributes, node, store)
        if attributes.resource == "nodes" and attributes.operation != "DELETE":
            _check_labels(attributes, node, {CONTROL_PLANE} if node == control_plane else frozenset())

    parts = {f"pods/{part}" for part in ("status", "eviction", *_POD_PARTS)}
    others = {"nodes/status", "persistentvolumeclaims/status", "serviceaccounts/token"}
    resources = frozenset(_CHECKS) | parts | others
    return Plugin("NodeRestriction", mutate=admit_token, validate=validate, resources=resources)


def _check_pod(attributes: Attributes, node: str, store: Store) -> None:
    part, operation = attributes.target.subresource, attributes.operation
    if part == "":
        _check_whole_pod(attributes, node)
    elif part == "status":
        if operation != "UPDATE":
            raise refused(attributes, f'unexpected operation "{operation}"')
        if not _is_on(attributes.old, node):
            why = "can only update pod status for pods with spec.nodeName set to itself"
            raise refused(attributes, f'node "{node}" {why}')
        if labels_of(attributes.obj) != labels_of(attributes.old or {}):
            raise refused(attributes, f'node "{node}" cannot update labels through pod status')
    elif part == "eviction":
        entry = store.get(attributes.target.key)
        if entry is not None and not _is_on(entry.shared(), node):
            raise refused(attributes, f"node {node} can only evict pods with spec.nodeName set to itself")
    else:
        raise refused(attributes, f"unexpected pod subresource \"{part}\", only 'status' and 'eviction' are allowed")


def _check_whole_pod(attributes: Attributes, node: str) -> None:
    if attributes.operation == "CREATE":
        pod = attributes.obj
        if MIRROR not in annotations_of(pod):
            why = f'pod does not have "{MIRROR}" annotation, node "{node}" can only create mirror pods'
            raise refused(attributes, why)
        if not _is_on(pod, node):
            raise refused(attributes, f'node "{node}" can only create pods with spec.nodeName set to itself')
        if pod["spec"].get("serviceAccountName"):
            raise refused(attributes, f'node "{node}" can not create pods that reference a service account')
    elif attributes.operation == "DELETE":
        if not _is_on(attributes.old, node):
            raise refused(attributes, f'node "{node}" can only delete pods with spec.nodeName set to itself')
    else:
        text = f'unexpected operation "{attributes.operation}", node "{node}" can only create and delete mirror pods'
        raise refused(attributes, text)


def _is_on(pod: Obj | None, node: str) -> bool:
    return ((pod or {}).get("spec") or {}).get("nodeName") == node


def _check_node(attributes: Attributes, node: str, store: Store) -> None:
    if attributes.name != node:
        raise refused(attributes, f'node "{node}" is not allowed to modify node "{attributes.name}"')
    if attributes.operation == "UPDATE" and _taints(attributes.obj) != _taints(attributes.old or {}):
        raise refused(attributes, f'node "{node}" is not allowed to modify taints')


def _check_labels(attributes: Attributes, node: str, more: Collection[str]) -> None:
    after, before = labels_of(attributes.obj), labels_of(attributes.old or {})
    changed = sorted(key for key in after.keys() | before.keys() if after.get(key) != before.get(key))
    if wrong := [key for key in changed if not may_label(key) and key not in more]:
        verb = "modify labels" if attributes.old is not None else "set the following labels"
        raise refused(attributes, f'node "{node}" is not allowed to {verb}: {", ".join(wrong)}')


def may_label(key: str) -> bool:
    """Whether a node may set a label on itself: of Kubernetes' own only those made for it."""
    space = key.rpartition("/")[0]
    if key in _OWN_LABELS or _within(space, _OWN_LABEL_SPACES):
        return True
    return not _within(space, _RESERVED_SPACES)


def _within(space: str, spaces: tuple[str, ...]) -> bool:
    return any(space == each or space.endswith(f".{each}") for each in spaces)


def _taints(node: Obj) -> list[Obj]:
    return (node.get("spec") or {}).get("taints") or []


def _check_claim(attributes: Attributes, node: str, store: Store) -> None:
    if attributes.target.subresource != "status" or attributes.operation != "UPDATE":
        part = attributes.target.subresource
        raise refused(attributes, f"unexpected PVC subresource \"{part}\", only 'status' is allowed")


def _pod_of_token(attributes: Attributes, node: str, store: Store) -> Obj:
    """The pod that the token a node asks for is bound to."""
    bound = (attributes.obj.get("spec") or {}).get("boundObjectRef") or {}
    if bound.get("kind") != "Pod" or not bound.get("name"):
        raise refused(attributes, "node requested token not bound to a pod")
    if not bound.get("uid"):
        raise refused(attributes, "node requested token with a pod binding without a uid")
    entry = store.get(Key("pods", attributes.target.namespace, bound["name"]))
    if entry is None:
        raise refused(attributes, f'pod "{bound["name"]}" not found')
    pod = entry.shared()
    if uid_of(pod) != bound["uid"]:
        why = f"the UID in the bound object reference ({bound['uid']}) does not match the UID in record"
        raise refused(attributes, f"{why}. The object might have been deleted and then recreated")
    if not _is_on(pod, node):
        raise refused(attributes, "node requested token bound to a pod scheduled on a different node")
    return pod


def _check_lease(attributes: Attributes, node: str, store: Store) -> None:
    if attributes.target.namespace != LEASES:
        raise refused(attributes, f'can only access leases in the "{LEASES}" system namespace')
    if attributes.name != node:
        raise refused(attributes, "can only access node lease with the same name as the requesting node")


def _check_csi_node(attributes: Attributes, node: str, store: Store) -> None:
    if attributes.name != node:
        raise refused(attributes, "can only access CSINode with the same name as the requesting node")


_CHECKS: Mapping[str, Callable[[Attributes, str, Store], None]] = {
    "pods": _check_pod,
    "nodes": _check_node,
    "persistentvolumeclaims": _check_claim,
    "leases.coordination.k8s.io": _check_lease,
    "csinodes.storage.k8s.io": _check_csi_node,
}
