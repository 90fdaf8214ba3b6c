"""Which fields a way of writing leaves as they are: nobody comes to manage them by it.

Source: `GetResetFields` of the strategies in Kubernetes' `pkg/registry` and of apiextensions' custom resources.
"""

from __future__ import annotations

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.managed.sets import Set, is_member
from skerry.kube.records import record


@record
class Reset:
    """`fields`: the set. `names`: what of an object need not be looked at. `parts`: whether the set has more than
    whole fields of the object."""

    fields: Set
    names: frozenset[str]
    parts: bool


def _reset(fields: Set) -> Reset:
    whole = {key[2:] for key, below in fields.items() if is_member(below)}
    return Reset(fields, frozenset({"apiVersion", "kind", *whole}), len(whole) < len(fields))


NOTHING = _reset({})
_STATUS = _reset({"f:status": {}})
_SPEC = _reset({"f:spec": {}})
_CUSTOM = _reset({"f:metadata": {}, "f:spec": {}})
_BY_STATUS = {
    "pods": _reset({"f:metadata": {"f:deletionTimestamp": {}, "f:ownerReferences": {}}, "f:spec": {}}),
    "deployments.apps": _reset({"f:metadata": {"f:labels": {}}, "f:spec": {}}),
    "customresourcedefinitions.apiextensions.k8s.io": _CUSTOM,
}


def reset_fields(kind: Kind, subresource: str) -> Reset:
    """Those for writes through a subresource, "" for the object itself."""
    if subresource == "status":
        return _CUSTOM if kind.schema is not None else _BY_STATUS.get(kind.resource.group_resource, _SPEC)
    return _STATUS if "status" in kind.subresources and subresource != "scale" else NOTHING
