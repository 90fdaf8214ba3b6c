"""Claims grow only when they are bound and their class says that its volumes can be expanded.

Source: Kubernetes' `plugin/pkg/admission/storage/persistentvolume/resize`.
"""

from __future__ import annotations

from decimal import Decimal

from skerry.engine.api.admission.attributes import Attributes, Operation
from skerry.engine.api.admission.chain import Plugin
from skerry.engine.api.admission.default_classes import STORAGE_CLASSES
from skerry.engine.api.admission.refusal import refused
from skerry.engine.store.contract import Key, Store
from skerry.kube.objects import Obj
from skerry.kube.quantities import parse_quantity
from skerry.kube.volumes import class_of

_UPDATE: frozenset[Operation] = frozenset({"UPDATE"})
_UNBOUND = "only bound persistent volume claims can be expanded"
_FIXED = (
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
)


def claim_resize(store: Store) -> Plugin:
    """The plug-in, looking classes up in `store`."""

    def validate(attributes: Attributes) -> None:
        claim, old = attributes.obj, attributes.old or {}
        if _size(claim) <= _size(old):
            return
        if (old.get("status") or {}).get("phase") != "Bound":
            raise refused(attributes, _UNBOUND)
        name = class_of(claim)
        entry = store.get(Key(STORAGE_CLASSES, "", name)) if name and name == class_of(old) else None
        if entry is None or not entry.shared().get("allowVolumeExpansion"):
            raise refused(attributes, _FIXED)

    looked_at = frozenset({"persistentvolumeclaims"})
    return Plugin("PersistentVolumeClaimResize", validate=validate, resources=looked_at, operations=_UPDATE)


def _size(claim: Obj) -> Decimal:
    resources = (claim.get("spec") or {}).get("resources") or {}
    return parse_quantity((resources.get("requests") or {}).get("storage") or "0")
