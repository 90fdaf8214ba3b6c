"""storage.k8s.io/v1: where volumes come from."""

from __future__ import annotations

from skerry.engine.schema.kinds.declare import STATUS, Group
from skerry.engine.schema.kinds.storage.storage_class import StorageClassStrategy
from skerry.engine.schema.strategies import UncountedStrategy

GROUP = Group("storage.k8s.io", "v1", "io.k8s.api.storage")

KINDS = [
    GROUP.kind("csidrivers", "CSIDriver", namespaced=False),
    GROUP.kind("csinodes", "CSINode", namespaced=False),
    GROUP.kind("csistoragecapacities", "CSIStorageCapacity"),
    GROUP.kind("storageclasses", "StorageClass", "sc", namespaced=False, strategy=StorageClassStrategy()),
    GROUP.kind(
        "volumeattachments", "VolumeAttachment", namespaced=False, subresources=STATUS, strategy=UncountedStrategy()
    ),
    GROUP.kind("volumeattributesclasses", "VolumeAttributesClass", "vac", namespaced=False),
]
