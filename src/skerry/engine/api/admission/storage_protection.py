"""Claims and volumes carry a finalizer, so that they outlive their use.

The finalizers are taken away by `engine.controllers.volumes.protection`. Source: Kubernetes'
`plugin/pkg/admission/storage/storageobjectinuseprotection`.
"""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import CREATE, Plugin

_FINALIZERS = {
    "persistentvolumeclaims": "kubernetes.io/pvc-protection",
    "persistentvolumes": "kubernetes.io/pv-protection",
}


def storage_object_in_use_protection() -> Plugin:
    """The plug-in."""

    def mutate(attributes: Attributes) -> None:
        metadata, finalizer = attributes.obj["metadata"], _FINALIZERS[attributes.resource]
        present = metadata.get("finalizers") or []
        if finalizer not in present:
            metadata["finalizers"] = [*present, finalizer]

    looked_at = frozenset(_FINALIZERS)
    return Plugin("StorageObjectInUseProtection", mutate=mutate, resources=looked_at, operations=CREATE)
