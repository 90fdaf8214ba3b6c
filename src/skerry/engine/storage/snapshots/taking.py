"""What a VolumeSnapshot of a claim leads to: the volume, the class, the content that stands for it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from skerry.engine.definitions.snapshots import SNAPSHOT_CONTENTS, VOLUME_SNAPSHOTS
from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.secrets import PREFIX, SecretRef, secret_of
from skerry.engine.storage.snapshots.names import (
    BEING_CREATED,
    CONTENT_BOUND,
    DEFAULT_CLASS,
    DELETION_SECRET,
    DELETION_SECRET_NAMESPACE,
)
from skerry.kube.objects import Obj, annotations_of, name_of, namespace_of, uid_of

_PURPOSES = ("snapshotter", "snapshotter-list")
_KNOWN = {f"{PREFIX}{purpose}-secret-{part}" for purpose in _PURPOSES for part in ("name", "namespace")}


class SnapshotError(Exception):
    """Why there is no snapshot yet; `reason` is that of the event."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def content_name(snapshot: Obj) -> str:
    """Of the content that is made for a snapshot of a claim."""
    return f"snapcontent-{uid_of(snapshot)}"


def volume_of(claim: Obj | None, volume: Obj | None, name: str) -> tuple[Obj, Obj]:
    """The claim and the volume to take it of. Raises SnapshotError."""
    if claim is None:
        raise _no_content(f'persistentvolumeclaim "{name}" not found')
    if (claim.get("status") or {}).get("phase") != "Bound" or volume is None:
        raise _no_content(f"the claim {name} is not yet bound to a volume")
    if (volume["spec"].get("claimRef") or {}).get("uid") != uid_of(claim):
        raise _no_content(f"the volume {name_of(volume)} is not bound to the claim {name}")
    if "csi" not in volume["spec"]:
        raise _no_content(f"the volume {name_of(volume)} has no CSI driver that could take snapshots of it")
    return claim, volume


def class_for(snapshot: Obj, driver: str, classes: Iterable[Obj]) -> Obj:
    """The class it names, or the driver's default. Raises SnapshotError."""
    named = snapshot["spec"].get("volumeSnapshotClassName")
    if named is None:
        return _default(driver, classes)
    for one in classes:
        if name_of(one) == named:
            if one["driver"] != driver:
                raise SnapshotError(
                    "GetSnapshotClassFailed", f"class {named} is of {one['driver']}, the volume is of {driver}"
                )
            return one
    raise SnapshotError("GetSnapshotClassFailed", f'volumesnapshotclass "{named}" not found')


def _default(driver: str, classes: Iterable[Obj]) -> Obj:
    found = [one for one in classes if annotations_of(one).get(DEFAULT_CLASS) == "true" and one["driver"] == driver]
    if not found:
        raise SnapshotError(
            "SetDefaultSnapshotClassFailed",
            f"cannot find a default snapshot class of {driver}: name a class in spec.volumeSnapshotClassName",
        )
    if len(found) > 1:
        names = ", ".join(sorted(map(name_of, found)))
        raise SnapshotError(
            "SetDefaultSnapshotClassFailed", f"{len(found)} default snapshot classes of {driver} were found: {names}"
        )
    return found[0]


def parameters_of(snapshot_class: Obj) -> Mapping[str, str]:
    """Those for the driver."""
    given: Mapping[str, str] = snapshot_class.get("parameters") or {}
    return {key: value for key, value in given.items() if not key.startswith(PREFIX)}


def secret_for(snapshot_class: Obj, namespace: str, name: str, content: str) -> SecretRef | None:
    """What the driver is given to take and delete the snapshot of that name. Raises StorageError."""
    given: Mapping[str, str] = snapshot_class.get("parameters") or {}
    for key in given:
        if key.startswith(PREFIX) and key not in _KNOWN:
            known = ", ".join(sorted(_KNOWN))
            raise StorageError("INVALID_ARGUMENT", f"parameter {key} of the class is not known; there are {known}")
    words = {
        "volumesnapshot.name": name,
        "volumesnapshot.namespace": namespace,
        "volumesnapshotcontent.name": content,
    }
    return secret_of(given, "snapshotter", words)


def content_for(snapshot: Obj, snapshot_class: Obj, volume: Obj) -> Obj:
    """The content to be made. Raises SnapshotError."""
    name = content_name(snapshot)
    try:
        secret = secret_for(snapshot_class, namespace_of(snapshot), name_of(snapshot), name)
    except StorageError as error:
        raise _no_content(error.message) from None
    about_secret = {DELETION_SECRET: secret.name, DELETION_SECRET_NAMESPACE: secret.namespace} if secret else {}
    csi = volume["spec"]["csi"]
    return {
        "apiVersion": SNAPSHOT_CONTENTS.api_version,
        "kind": SNAPSHOT_CONTENTS.kind,
        "metadata": {
            "name": name,
            "finalizers": [CONTENT_BOUND],
            "annotations": {BEING_CREATED: "yes", **about_secret},
        },
        "spec": {
            "deletionPolicy": snapshot_class["deletionPolicy"],
            "driver": csi["driver"],
            "source": {"volumeHandle": csi["volumeHandle"]},
            "sourceVolumeMode": volume["spec"].get("volumeMode") or "Filesystem",
            "volumeSnapshotClassName": name_of(snapshot_class),
            "volumeSnapshotRef": reference_to(snapshot),
        },
    }


def reference_to(snapshot: Obj) -> Obj:
    """For `spec.volumeSnapshotRef`."""
    return {
        "apiVersion": VOLUME_SNAPSHOTS.api_version,
        "kind": VOLUME_SNAPSHOTS.kind,
        "namespace": namespace_of(snapshot),
        "name": name_of(snapshot),
        "uid": uid_of(snapshot),
        "resourceVersion": snapshot["metadata"].get("resourceVersion", ""),
    }


def _no_content(message: str) -> SnapshotError:
    return SnapshotError("SnapshotContentCreationFailed", message)
