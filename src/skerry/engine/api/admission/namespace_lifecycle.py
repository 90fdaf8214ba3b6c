"""Nothing is created in a namespace that is missing or going away; the system's own namespaces cannot be deleted.

Source: Kubernetes' `plugin/namespace/lifecycle`.
"""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes, Operation
from skerry.engine.api.admission.chain import Plugin
from skerry.engine.store.contract import Key, Store
from skerry.kube.errors import Forbidden, forbidden, not_found
from skerry.kube.objects import Obj, is_deleting

IMMORTAL = frozenset({"default", "kube-system", "kube-public"})
_OPERATIONS: frozenset[Operation] = frozenset({"CREATE", "DELETE"})


def namespace_lifecycle(store: Store) -> Plugin:
    """The plug-in, looking namespaces up in `store`."""

    def admit(attributes: Attributes) -> None:
        target = attributes.target
        if target.kind.resource.group_resource == "namespaces":
            if attributes.operation == "DELETE" and target.name in IMMORTAL:
                raise forbidden("namespaces", target.name, "this namespace may not be deleted")
        elif attributes.operation == "CREATE" and target.kind.resource.namespaced and not target.subresource:
            _check_open(store, target.group_resource, target.namespace, attributes.new or {})

    return Plugin("NamespaceLifecycle", mutate=admit, operations=_OPERATIONS)


def _check_open(store: Store, group_resource: str, namespace: str, obj: Obj) -> None:
    entry = store.get(Key("namespaces", "", namespace))
    if entry is None:
        raise not_found("namespaces", namespace)
    if b'"deletionTimestamp"' in entry.value and is_deleting(entry.shared()):
        raise _terminating(group_resource, str(obj.get("metadata", {}).get("name", "")), namespace)


def _terminating(group_resource: str, name: str, namespace: str) -> Forbidden:
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    refusal = forbidden(group_resource, name, why)
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    refusal.details["causes"] = [cause]
    return refusal
