"""PersistentVolume.

Source: `SetDefaults_PersistentVolume*`, `pvStrategy`, `ValidatePersistentVolume(Spec,Update)`. Neighbours: `claims`.
"""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import normpath

from skerry.engine.schema.causes import forbidden, immutable, not_supported, required
from skerry.engine.schema.pods.paths import check_no_backsteps
from skerry.engine.schema.pods.resources import check_positive_quantity
from skerry.engine.schema.strategies import UncountedStrategy, set_default
from skerry.kube.clock import SystemClock, rfc3339
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
_RECLAIM = ("Delete", "Recycle", "Retain")
_NEEDED = {
    "hostPath": ("path",), "local": ("path",), "nfs": ("server", "path"), "csi": ("driver", "volumeHandle"),
}  # fmt: skip
_SOURCES = (
    "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs",
    "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume",
    "azureDisk", "scaleIO", "local", "storageos", "csi",
)  # fmt: skip
_RECYCLING = (
    "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach "
    "is to use dynamic provisioning."
)
_LATER = "controllerExpandSecretRef"
"""What of a CSI source may be added to a volume that is there."""


class VolumeStrategy(UncountedStrategy):
    """A piece of storage."""

    def default(self, obj: Obj) -> None:
        """Kept after use, mounted as a file system."""
        spec = obj.setdefault("spec", {})
        set_default(spec, "persistentVolumeReclaimPolicy", "Retain")
        set_default(spec, "volumeMode", "Filesystem")

    def initial_status(self, obj: Obj) -> None:
        """Not looked at yet."""
        obj["status"] = {"phase": "Pending", "lastPhaseTransitionTime": rfc3339(SystemClock().now())}

    def prepare_status(self, new: Obj, old: Obj) -> None:
        """A new phase has a new time, unless its writer says which."""
        super().prepare_status(new, old)
        status, before = new.get("status") or {}, old.get("status") or {}
        said = "lastPhaseTransitionTime"
        if status.get("phase") != before.get("phase") and status.get(said) in (None, before.get(said)):
            new["status"] = {**status, said: rfc3339(SystemClock().now())}

    def validate(self, obj: Obj) -> list[Cause]:
        """Size, modes, policy and one source."""
        return list(_check_volume(obj.get("spec") or {}))

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """What it is and where it can be reached from stays."""
        return list(_check_change(new.get("spec") or {}, old.get("spec") or {}))

    def warnings(self, new: Obj, old: Obj | None) -> list[str]:
        """Recycling is deprecated."""
        return [_RECYCLING] if (new.get("spec") or {}).get("persistentVolumeReclaimPolicy") == "Recycle" else []


def _check_volume(spec: Obj) -> Iterator[Cause]:
    yield from check_modes(spec)
    yield from _check_capacity(spec.get("capacity") or {})
    policy = spec.get("persistentVolumeReclaimPolicy")
    if policy not in _RECLAIM:
        yield not_supported("spec.persistentVolumeReclaimPolicy", policy or "", _RECLAIM)
    yield from _check_source(spec)
    attributes = spec.get("volumeAttributesClassName")
    if attributes == "":
        yield required("spec.volumeAttributesClassName", "an empty string is disallowed")
    if attributes is not None and "csi" not in spec:
        yield required("spec.csi", "has to be specified when using volumeAttributesClassName")


def _check_capacity(capacity: Obj) -> Iterator[Cause]:
    if not capacity:
        yield required("spec.capacity")
    elif set(capacity) != {"storage"}:
        yield not_supported("spec.capacity", capacity, ("storage",))
    else:
        yield from check_positive_quantity(capacity["storage"], "spec.capacity[storage]")


def _check_source(spec: Obj) -> Iterator[Cause]:
    given = [name for name in _SOURCES if spec.get(name) is not None]
    if not given:
        yield required("spec", "must specify a volume type")
        return
    for name in given[1:]:
        yield forbidden(f"spec.{name}", "may not specify more than 1 volume type")
    name, source = given[0], spec[given[0]]
    for needed in _NEEDED.get(name, ()):
        if not source.get(needed):
            yield required(f"spec.{name}.{needed}")
    if name in ("hostPath", "local"):
        yield from check_no_backsteps(source.get("path") or "", f"spec.{name}.path")
    if name == "local" and not ((spec.get("nodeAffinity") or {}).get("required") or {}).get("nodeSelectorTerms"):
        yield required("spec.nodeAffinity", "Local volume requires node affinity")
    recycled = spec.get("persistentVolumeReclaimPolicy") == "Recycle"
    if name == "hostPath" and recycled and normpath(source.get("path") or ".") == "/":
        yield forbidden("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'")


def _check_change(after: Obj, before: Obj) -> Iterator[Cause]:
    if any(_fixed(after, before, name) != before.get(name) for name in _SOURCES):
        yield forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation")
    if after.get("volumeMode") != before.get("volumeMode"):
        yield immutable("volumeMode", after.get("volumeMode"))
    if before.get("nodeAffinity") is not None and after.get("nodeAffinity") != before["nodeAffinity"]:
        yield immutable("nodeAffinity", after.get("nodeAffinity"))
    attributes = "volumeAttributesClassName"
    if before.get(attributes) is not None and after.get(attributes) is None:
        yield forbidden(f"spec.{attributes}", "update from non-nil value to nil is forbidden")


def _fixed(after: Obj, before: Obj, name: str) -> Obj | None:
    """A source without what may be added to it."""
    source, old = after.get(name), before.get(name)
    if name == "csi" and source and old and old.get(_LATER) is None:
        return {key: value for key, value in source.items() if key != _LATER}
    return source


def check_modes(spec: Obj) -> Iterator[Cause]:
    """Access modes and volume mode, of a volume or a claim."""
    modes = spec.get("accessModes") or ()
    if not modes:
        yield required("spec.accessModes", "at least 1 access mode is required")
    for mode in modes:
        if mode not in MODES:
            yield not_supported("spec.accessModes", mode, MODES)
    if "ReadWriteOncePod" in modes and set(modes) & set(MODES) != {"ReadWriteOncePod"}:
        yield forbidden("spec.accessModes", "may not use ReadWriteOncePod with other access modes")
    if spec.get("volumeMode") not in VOLUME_MODES:
        yield not_supported("spec.volumeMode", spec.get("volumeMode", ""), VOLUME_MODES)
