"""Kinds for snapshots of volumes: one that is asked for, one that is there, and the classes they are of.

Source: snapshot.storage.k8s.io/v1 as of external-snapshotter 8.3, with its rules. `engine/storage/snapshots` acts on
them. Groups of snapshots are not served.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.engine.definitions.notation import (
    AGE,
    BOOLEAN,
    STRING,
    TIME,
    Column,
    Definition,
    Schema,
    mapping,
    obj,
    one_of,
)
from skerry.kube.objects import Resource

_GROUP, _VERSION = "snapshot.storage.k8s.io", "v1"
VOLUME_SNAPSHOTS = Resource(_GROUP, _VERSION, "volumesnapshots", "VolumeSnapshot")
SNAPSHOT_CONTENTS = Resource(_GROUP, _VERSION, "volumesnapshotcontents", "VolumeSnapshotContent", namespaced=False)
SNAPSHOT_CLASSES = Resource(_GROUP, _VERSION, "volumesnapshotclasses", "VolumeSnapshotClass", namespaced=False)

_APPROVAL = "https://github.com/kubernetes-csi/external-snapshotter/pull/814"
_ERROR = obj({"message": STRING, "time": TIME})
_BYTES: Schema = {"type": "integer", "format": "int64"}
_QUANTITY: Schema = {
    "type": "string",
    "pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|"
    r"([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$",
    "x-kubernetes-int-or-string": True,
}
_POLICY = one_of("Delete", "Retain")


def _rules(*rules: tuple[str, str]) -> dict[str, list[dict[str, str]]]:
    """Of pairs of rule and message."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in rules]}


def _fixed(name: str) -> Schema:
    """A string that cannot change."""
    return {**STRING, **_rules(("self == oldSelf", f"{name} is immutable"))}


def _stays(name: str) -> tuple[str, str]:
    return f"!has(oldSelf.{name}) || has(self.{name})", f"{name} is required once set"


def _one_source(names: Iterable[str], called: str) -> Schema:
    """Exactly one of two names, which stays as it is."""
    first, second = names
    either = f"(has(self.{first}) && !has(self.{second})) || (!has(self.{first}) && has(self.{second}))"
    return obj(
        {first: _fixed(first), second: _fixed(second)},
        **_rules(_stays(first), _stays(second), (either, f"exactly one of {called} must be set")),
    )


_SNAPSHOT = obj(
    {
        "source": _one_source(
            ("persistentVolumeClaimName", "volumeSnapshotContentName"),
            "volumeSnapshotContentName and persistentVolumeClaimName",
        ),
        "volumeSnapshotClassName": {
            **STRING,
            **_rules(("size(self) > 0", "volumeSnapshotClassName must not be the empty string when set")),
        },
    },
    "source",
)
_SNAPSHOT_STATUS = obj(
    {
        "boundVolumeSnapshotContentName": STRING,
        "creationTime": TIME,
        "readyToUse": BOOLEAN,
        "restoreSize": _QUANTITY,
        "error": _ERROR,
        "volumeGroupSnapshotName": STRING,
    }
)
_REFERENCE = obj(
    dict.fromkeys(("apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid"), STRING),
    **{"x-kubernetes-map-type": "atomic"},
    **_rules(
        (
            "has(self.name) && has(self.__namespace__)",
            "both spec.volumeSnapshotRef.name and spec.volumeSnapshotRef.namespace must be set",
        )
    ),
)
_CONTENT = obj(
    {
        "deletionPolicy": _POLICY,
        "driver": STRING,
        "source": _one_source(("volumeHandle", "snapshotHandle"), "volumeHandle and snapshotHandle"),
        "sourceVolumeMode": _fixed("sourceVolumeMode"),
        "volumeSnapshotClassName": STRING,
        "volumeSnapshotRef": _REFERENCE,
    },
    "deletionPolicy",
    "driver",
    "source",
    "volumeSnapshotRef",
    **_rules(_stays("sourceVolumeMode")),
)
_CONTENT_STATUS = obj(
    {
        "creationTime": _BYTES,
        "error": _ERROR,
        "readyToUse": BOOLEAN,
        "restoreSize": {**_BYTES, "minimum": 0},
        "snapshotHandle": STRING,
        "volumeGroupSnapshotHandle": STRING,
    }
)

DEFINITIONS = (
    Definition(
        VOLUME_SNAPSHOTS,
        spec=_SNAPSHOT,
        status=_SNAPSHOT_STATUS,
        columns=(
            Column("ReadyToUse", ".status.readyToUse", "boolean"),
            Column("SourcePVC", ".spec.source.persistentVolumeClaimName"),
            Column("SourceSnapshotContent", ".spec.source.volumeSnapshotContentName"),
            Column("RestoreSize", ".status.restoreSize"),
            Column("SnapshotClass", ".spec.volumeSnapshotClassName"),
            Column("SnapshotContent", ".status.boundVolumeSnapshotContentName"),
            Column("CreationTime", ".status.creationTime", "date"),
            AGE,
        ),
        short_names=("vs",),
        approval=_APPROVAL,
    ),
    Definition(
        SNAPSHOT_CONTENTS,
        spec=_CONTENT,
        status=_CONTENT_STATUS,
        columns=(
            Column("ReadyToUse", ".status.readyToUse", "boolean"),
            Column("RestoreSize", ".status.restoreSize", "integer"),
            Column("DeletionPolicy", ".spec.deletionPolicy"),
            Column("Driver", ".spec.driver"),
            Column("VolumeSnapshotClass", ".spec.volumeSnapshotClassName"),
            Column("VolumeSnapshot", ".spec.volumeSnapshotRef.name"),
            Column("VolumeSnapshotNamespace", ".spec.volumeSnapshotRef.namespace"),
            AGE,
        ),
        short_names=("vsc", "vscs"),
        approval=_APPROVAL,
    ),
    Definition(
        SNAPSHOT_CLASSES,
        fields={"deletionPolicy": _POLICY, "driver": STRING, "parameters": mapping(STRING)},
        columns=(Column("Driver", ".driver"), Column("DeletionPolicy", ".deletionPolicy"), AGE),
        short_names=("vsclass", "vsclasses"),
        required=("deletionPolicy", "driver"),
        approval=_APPROVAL,
    ),
)
