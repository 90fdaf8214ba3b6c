"""PersistentVolume and PersistentVolumeClaim.

Source: `SetDefaults_PersistentVolume*`, `ValidatePersistentVolume`, `ValidatePersistentVolumeClaim(Update)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from skerry.engine.schema.causes import forbidden, not_supported, required
from skerry.engine.schema.pods.resources import check_quantity
from skerry.engine.schema.strategies import UncountedStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj
from skerry.kube.quantities import parse_quantity

_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_VOLUME_MODES = ("Block", "Filesystem")
_RECLAIM = ("Delete", "Recycle", "Retain")
_FIXED = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
_FIXED = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
_MAY_CHANGE = ("resources", "volumeAttributesClassName")


class VolumeStrategy(UncountedStrategy):
    """A piece of storage."""

    def default(self, obj: Obj) -> None:
        """Kept after use, mounted as a file system."""
        spec = obj.setdefault("spec", {})
        set_default(spec, "persistentVolumeReclaimPolicy", "Retain")
        set_default(spec, "volumeMode", "Filesystem")

    def initial_status(self, obj: Obj) -> None:
        """Not looked at yet."""
        obj["status"] = {"phase": "Pending"}

    def validate(self, obj: Obj) -> list[Cause]:
        """Size, modes and policy."""
        return list(_check_volume(obj.get("spec") or {}))


def _check_volume(spec: Obj) -> Iterator[Cause]:
    yield from _check_modes(spec)
    size = (spec.get("capacity") or {}).get("storage")
    if size is None:
        yield required("spec.capacity")
    else:
        yield from check_quantity(size, "spec.capacity[storage]")
    policy = spec.get("persistentVolumeReclaimPolicy")
    if policy not in _RECLAIM:
        yield not_supported("spec.persistentVolumeReclaimPolicy", policy or "", _RECLAIM)


def _check_modes(spec: Obj) -> Iterator[Cause]:
    modes = spec.get("accessModes") or ()
    if not modes:
        yield required("spec.accessModes", "at least 1 access mode is required")
    for mode in modes:
        if mode not in _MODES:
            yield not_supported("spec.accessModes", mode, _MODES)
    if spec.get("volumeMode") not in _VOLUME_MODES:
        yield not_supported("spec.volumeMode", spec.get("volumeMode", ""), _VOLUME_MODES)


class ClaimStrategy(UncountedStrategy):
    """A wish for storage: once bound it may only grow."""

    def default(self, obj: Obj) -> None:
        """Mounted as a file system."""
        set_default(obj.setdefault("spec", {}), "volumeMode", "Filesystem")

    def initial_status(self, obj: Obj) -> None:
        """Nothing bound yet."""
        obj["status"] = {"phase": "Pending"}

    def validate(self, obj: Obj) -> list[Cause]:
        """Modes and size."""
        spec = obj.get("spec") or {}
        causes = list(_check_modes(spec))
        size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
        if size is None:
            return [*causes, required("spec.resources[storage]")]
        return causes + list(check_quantity(size, "spec.resources.requests[storage]"))

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """Binding sets the volume once; the request may grow."""
        after, before = new.get("spec") or {}, old.get("spec") or {}
        fixed = (after.keys() | before.keys()) - set(_MAY_CHANGE)
        if not before.get("volumeName"):
            fixed.discard("volumeName")
        if not before.get("storageClassName"):
            fixed.discard("storageClassName")
        if any(after.get(part) != before.get(part) for part in fixed):
            return [forbidden("spec", _FIXED)]
        if _size(after) < _size(before) and _size(after) <= _capacity(old):  # what cannot be had may be taken back
            return [forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")]
        return []


def _size(spec: Obj) -> Decimal:
    return parse_quantity(((spec.get("resources") or {}).get("requests") or {}).get("storage") or "0")


def _capacity(claim: Obj) -> Decimal:
    """What its volume has; without one, nothing may be taken back."""
    known = ((claim.get("status") or {}).get("capacity") or {}).get("storage")
    return _size(claim["spec"]) if known is None else parse_quantity(known)
