"""Which fields a way of writing leaves as they are: nobody comes to manage them by it.

Source: `GetResetFields` of the strategies in Kubernetes' `pkg/registry` and of apiextensions' custom resources.
"""

from __future__ import annotations

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.managed.sets import Set

_STATUS: Set = {"f:status": {}}
_SPEC: Set = {"f:spec": {}}
_CUSTOM: Set = {"f:metadata": {}, "f:spec": {}}
_BY_STATUS: dict[str, Set] = {
    "pods": {"f:metadata": {"f:deletionTimestamp": {}, "f:ownerReferences": {}}, "f:spec": {}},
    "deployments.apps": {"f:metadata": {"f:labels": {}}, "f:spec": {}},
    "customresourcedefinitions.apiextensions.k8s.io": _CUSTOM,
}
_NOTHING: Set = {}


def reset_fields(kind: Kind, subresource: str) -> Set:
    """The set for writes through a subresource, "" for the object itself."""
    if subresource == "status":
        return _CUSTOM if kind.schema is not None else _BY_STATUS.get(kind.resource.group_resource, _SPEC)
    return _STATUS if "status" in kind.subresources and subresource != "scale" else _NOTHING
