"""Claims, volumes and classes as pure functions get them."""

from __future__ import annotations

from typing import Any

from skerry.kube.objects import Obj
from skerry.kube.volumes import reference_to


def claim(name: str = "data", size: str = "1Gi", **fields: Any) -> Obj:
    """A claim that asks for so much. `fields`: annotations, phase, capacity, and what goes into its spec."""
    metadata = {"name": name, "namespace": "ns", "uid": f"uid-{name}", "resourceVersion": "1"}
    metadata["annotations"] = fields.pop("annotations", {})
    status: Obj = {"phase": fields.pop("phase", "Pending")}
    if "capacity" in fields:
        status["capacity"] = {"storage": fields.pop("capacity")}
    fields.setdefault("storageClassName", "")
    spec = {"accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem", **fields}
    spec["resources"] = {"requests": {"storage": size}}
    return {"metadata": metadata, "spec": spec, "status": status}


def volume(name: str, size: str = "1Gi", *, of: Obj | None = None, **fields: Any) -> Obj:
    """A volume, bound to the claim `of` if there is one. `fields`: labels, annotations, phase, and what goes into its
    spec."""
    metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": "1", "labels": fields.pop("labels", {})}
    metadata["annotations"] = fields.pop("annotations", {})
    status = {"phase": fields.pop("phase", "Available")}
    spec = {"accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem", "capacity": {"storage": size}, **fields}
    if of is not None:
        spec["claimRef"] = reference_to(of)
    return {"metadata": metadata, "spec": spec, "status": status}


def storage_class(name: str, *, waits: bool = False, **fields: Any) -> Obj:
    """A class. `fields`: annotations, and what it says."""
    metadata = {"name": name, "annotations": fields.pop("annotations", {}), "creationTimestamp": fields.pop("made", "")}
    mode = "WaitForFirstConsumer" if waits else "Immediate"
    return {"metadata": metadata, "provisioner": "example.com/disks", "volumeBindingMode": mode, **fields}
