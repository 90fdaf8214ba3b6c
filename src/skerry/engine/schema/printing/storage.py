"""Volumes, claims and classes. Source: `printPersistentVolume` and its neighbours."""

from __future__ import annotations

from typing import Any

from skerry.engine.schema.contract import Column, Printer
from skerry.engine.schema.printing.cells import AGE, NAME, age_of, columns, get, wide
from skerry.kube.objects import Obj, annotations_of, is_deleting, name_of
from skerry.kube.volumes import class_of

_MODES = {
    "ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP",
}  # fmt: skip
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
UNSET = "<unset>"


def _modes(modes: list[str] | None) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in (modes or ()))


def _phase(obj: Obj) -> str:
    return "Terminating" if is_deleting(obj) else get(obj, "status", "phase") or ""


def _volume(obj: Obj, now: float) -> list[Any]:
    spec, claim = obj.get("spec") or {}, get(obj, "spec", "claimRef") or {}
    return [
        name_of(obj),
        get(spec, "capacity", "storage") or "",
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        class_of(obj),
        spec.get("volumeAttributesClassName") or UNSET,
        get(obj, "status", "reason") or "",
        age_of(obj, now),
        spec.get("volumeMode") or UNSET,
    ]


VOLUME = Printer(
    columns(
        NAME, "Capacity", "Access Modes", "Reclaim Policy", "Status", "Claim", "StorageClass", "VolumeAttributesClass",
        "Reason", AGE, wide("VolumeMode"),
    ),
    _volume,
)  # fmt: skip


def _claim(obj: Obj, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    bound = bool(spec.get("volumeName"))
    return [
        name_of(obj),
        _phase(obj),
        spec.get("volumeName", ""),
        (get(status, "capacity", "storage") or "") if bound else "",
        _modes(status.get("accessModes")) if bound else "",
        class_of(obj),
        spec.get("volumeAttributesClassName") or UNSET,
        age_of(obj, now),
        spec.get("volumeMode") or UNSET,
    ]


CLAIM = Printer(
    columns(
        NAME, "Status", "Volume", "Capacity", "Access Modes", "StorageClass", "VolumeAttributesClass", AGE,
        wide("VolumeMode"),
    ),
    _claim,
)  # fmt: skip


def _storage_class(obj: Obj, now: float) -> list[Any]:
    default = annotations_of(obj).get(_DEFAULT_CLASS) == "true"
    return [
        name_of(obj) + (" (default)" if default else ""),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy") or "Delete",
        obj.get("volumeBindingMode") or "Immediate",
        str(bool(obj.get("allowVolumeExpansion"))).lower(),
        age_of(obj, now),
    ]


STORAGE_CLASS = Printer(
    columns(NAME, "Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion", AGE), _storage_class
)


def _driver(obj: Obj, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    requests = spec.get("tokenRequests")
    return [
        name_of(obj),
        _yes(spec.get("attachRequired", True)),
        _yes(spec.get("podInfoOnMount")),
        _yes(spec.get("storageCapacity")),
        ",".join(one.get("audience", "") for one in requests) if requests else UNSET,
        _yes(spec.get("requiresRepublish")),
        ",".join(spec.get("volumeLifecycleModes") or ("Persistent",)),
        age_of(obj, now),
    ]


def _yes(value: object) -> str:
    return str(bool(value)).lower()


CSI_DRIVER = Printer(
    columns(
        NAME, "AttachRequired", "PodInfoOnMount", "StorageCapacity", "TokenRequests", "RequiresRepublish", "Modes", AGE
    ),
    _driver,
)  # fmt: skip


def _csi_node(obj: Obj, now: float) -> list[Any]:
    return [name_of(obj), len(get(obj, "spec", "drivers") or ()), age_of(obj, now)]


CSI_NODE = Printer(columns(NAME, Column("Drivers", "integer"), AGE), _csi_node)


def _attachment(obj: Obj, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    return [
        name_of(obj),
        spec.get("attacher", ""),
        get(spec, "source", "persistentVolumeName") or "",
        spec.get("nodeName", ""),
        _yes(get(obj, "status", "attached")),
        age_of(obj, now),
    ]


ATTACHMENT = Printer(columns(NAME, "Attacher", "PV", "Node", "Attached", AGE), _attachment)


def _room(obj: Obj, now: float) -> list[Any]:
    return [name_of(obj), obj.get("storageClassName", ""), obj.get("capacity") or UNSET]


STORAGE_CAPACITY = Printer(columns(NAME, "StorageClassName", "Capacity"), _room)


def _attributes(obj: Obj, now: float) -> list[Any]:
    return [name_of(obj), obj.get("driverName", ""), age_of(obj, now)]


ATTRIBUTES_CLASS = Printer(columns(NAME, "DriverName", AGE), _attributes)
