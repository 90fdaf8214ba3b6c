"""What a claim's volume begins with: a snapshot or another claim, and whether that may be. Pure.

Source: external-provisioner, `getSnapshotSource` and `getPVCSource`.
"""

from __future__ import annotations

from skerry.engine.storage.contract import Ability, Driver, StorageError, VolumeSource
from skerry.engine.storage.finalizers import finalizers_of
from skerry.engine.storage.provisioning.names import CLONING, MODE_CHANGE
from skerry.kube.objects import Obj, annotations_of, is_deleting, name_of, namespace_of, uid_of
from skerry.kube.quantities import bytes_of
from skerry.kube.records import record

SNAPSHOT_GROUP = "snapshot.storage.k8s.io"


@record
class Source:
    """What a claim names. `kind` is "VolumeSnapshot" or "PersistentVolumeClaim", in the claim's namespace."""

    kind: str
    name: str


def source_of(claim: Obj) -> Source | None:
    """Raises StorageError for what nobody here can make a volume from."""
    given = claim["spec"].get("dataSourceRef") or claim["spec"].get("dataSource")
    if not given:
        return None
    group, kind, namespace = given.get("apiGroup") or "", given["kind"], given.get("namespace") or ""
    if (group, kind) not in {(SNAPSHOT_GROUP, "VolumeSnapshot"), ("", "PersistentVolumeClaim")}:
        qualified = f"{kind}.{group}" if group else kind
        raise _refused(
            f"a volume cannot be made from a {qualified}: there are no volume populators here, "
            f"only VolumeSnapshot.{SNAPSHOT_GROUP} and PersistentVolumeClaim"
        )
    if namespace not in ("", namespace_of(claim)):
        raise _refused(f"dataSourceRef.namespace: the {kind} must be in the claim's own namespace")
    return Source(kind, given["name"])


def from_snapshot(claim: Obj, driver: Driver, snapshot: Obj | None, content: Obj | None) -> VolumeSource:
    """The snapshot a claim names, with what it is bound to. Raises StorageError."""
    name = (source_of(claim) or Source("", "")).name
    if snapshot is None:
        raise _refused(f'volumesnapshot "{name}" not found')
    if is_deleting(snapshot):
        raise _refused(f"snapshot {name} is currently being deleted")
    status = (content or {}).get("status") or {}
    if content is None or not _are_bound(snapshot, content):
        raise _refused(f"snapshot {name} is not bound")
    if content["spec"]["driver"] != driver.name:
        raise _refused(
            f"snapshot {name} is one of {content['spec']['driver']}, the claim's class is of {driver.name}: "
            "take a class of the same driver"
        )
    if not (snapshot.get("status") or {}).get("readyToUse") or not status.get("snapshotHandle"):
        raise _refused(f"snapshot {name} is not ready")
    _check_size(claim, int(status.get("restoreSize") or 0), f"snapshot {name}")
    mode = content["spec"].get("sourceVolumeMode")
    allowed = annotations_of(content).get(MODE_CHANGE) == "true"
    if mode and mode != mode_of(claim) and not allowed:
        raise _refused(
            f"snapshot {name} is of a volume with volumeMode {mode}, the claim has {mode_of(claim)}: "
            f"the annotation {MODE_CHANGE} on its content would allow it"
        )
    return VolumeSource(snapshot=status["snapshotHandle"])


def from_claim(claim: Obj, driver: Driver, source: Obj | None, volume: Obj | None) -> VolumeSource:
    """The claim to clone, with its volume. Raises StorageError."""
    name = (source_of(claim) or Source("", "")).name
    if Ability.CLONE not in driver.abilities:
        raise _refused(f"{driver.name} cannot clone volumes")
    if source is None:
        raise _refused(f'persistentvolumeclaim "{name}" not found')
    if is_deleting(source) and CLONING not in finalizers_of(source):  # what was begun is finished
        raise _refused(f"the claim {name} to be cloned is currently being deleted")
    csi = ((volume or {}).get("spec") or {}).get("csi") or {}
    if volume is None or (source.get("status") or {}).get("phase") != "Bound" or not _has_claim(volume, source):
        raise _refused(f"the claim {name} to be cloned is not bound")
    if csi.get("driver") != driver.name:
        raise _refused(f"the claim {name} has no volume of {driver.name}: take a class of the same driver to clone it")
    _check_size(claim, bytes_of(volume["spec"]["capacity"]["storage"]), f"claim {name}")
    if mode_of(source) != mode_of(claim):
        raise _refused(f"the claim {name} has volumeMode {mode_of(source)}, its clone cannot have {mode_of(claim)}")
    return VolumeSource(volume=csi["volumeHandle"])


def mode_of(claim: Obj) -> str:
    """ "Filesystem" or "Block"."""
    return str(claim["spec"].get("volumeMode") or "Filesystem")


def size_of(claim: Obj) -> int:
    """Bytes that a claim asks for."""
    return bytes_of(claim["spec"]["resources"]["requests"]["storage"])


def _are_bound(snapshot: Obj, content: Obj) -> bool:
    """Whether both point at each other: one that points alone may be a trick."""
    reference = content["spec"]["volumeSnapshotRef"]
    return (
        (snapshot.get("status") or {}).get("boundVolumeSnapshotContentName") == name_of(content)
        and reference.get("uid") == uid_of(snapshot)
        and (reference["namespace"], reference["name"]) == (namespace_of(snapshot), name_of(snapshot))
    )


def _has_claim(volume: Obj, claim: Obj) -> bool:
    return ((volume["spec"].get("claimRef") or {}).get("uid")) == uid_of(claim)


def _check_size(claim: Obj, needed: int, what: str) -> None:
    if size_of(claim) < needed:
        raise _refused(f"requested volume size {size_of(claim)} is less than the size {needed} of the source {what}")


def _refused(message: str) -> StorageError:
    return StorageError("INVALID_ARGUMENT", message)
