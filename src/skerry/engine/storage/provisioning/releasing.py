"""Deletes volumes whose claim is gone: what external-provisioner does with those it made.

The finalizer of a PersistentVolume with reclaim policy Delete holds the object until its driver has deleted the volume,
also when somebody deletes the object first. Source: `shouldDelete` and `syncVolume` of
sig-storage-lib-external-provisioner 11 (HonorPVReclaimPolicy).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from skerry.engine.definitions.snapshots import SNAPSHOT_CONTENTS
from skerry.engine.storage.backoff import Backoff
from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.contract import Driver, StorageError
from skerry.engine.storage.finalizers import finalizers_of, with_finalizer, without_finalizer
from skerry.engine.storage.provisioning.names import DELETION_SECRET, DELETION_SECRET_NAMESPACE, FINALIZER
from skerry.engine.storage.secrets import SecretRef, read_secret
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, annotations_of, is_deleting, name_of, uid_of
from skerry.kube.resources import PERSISTENT_VOLUMES
from skerry.kube.volumes import PROVISIONED_BY


class Step(Enum):
    """What is next for a volume."""

    NOTHING = "nothing"
    HOLD = "hold"
    """Put the finalizer on it."""
    LET_GO = "let go"
    """Take the finalizer off: its data stay."""
    DELETE = "delete"


def next_step(volume: Obj) -> Step:
    """For a volume that a driver of ours made. Pure."""
    is_held = FINALIZER in finalizers_of(volume)
    if volume["spec"].get("persistentVolumeReclaimPolicy") != "Delete":
        return Step.LET_GO if is_held else Step.NOTHING
    if is_deleting(volume) and not is_held:
        return Step.NOTHING  # too late: it goes, and whoever took the finalizer off meant it
    if (volume.get("status") or {}).get("phase") in ("Released", "Failed"):
        return Step.DELETE
    return Step.NOTHING if is_held or is_deleting(volume) else Step.HOLD


class VolumeReleaser(Controller):
    """Keys are volumes."""

    name = "storage-releaser"
    workers = 32

    def __init__(self, context: StorageContext) -> None:
        super().__init__()
        self._client = context.identity("storage-provisioner")
        self._recorder = context.recorder
        self._drivers = context.drivers
        self._volumes = context.informers.of(PERSISTENT_VOLUMES)
        self._backoff = Backoff()
        self._volumes.add_index("handle", _handles)
        self.watch(self._volumes, _made_by_somebody)
        self.watch(context.informers.of(SNAPSHOT_CONTENTS), self._snapshotted)

    def _snapshotted(self, content: Obj) -> Iterable[str]:
        """Volumes that may be deleted now that a snapshot of theirs is gone."""
        handle = content["spec"]["source"].get("volumeHandle", "")
        for volume in self._volumes.by_index("handle", handle) if handle else ():
            self._backoff.forget(name_of(volume))
            yield name_of(volume)

    async def reconcile(self, key: str) -> float | None:
        """Bring one volume closer to its end, if it has come."""
        volume = self._volumes.get(key)
        driver = self._drivers.get(annotations_of(volume).get(PROVISIONED_BY, "")) if volume is not None else None
        if volume is None or driver is None:
            self._backoff.forget(key)
            return None
        step = next_step(volume)
        if step is Step.HOLD:
            await with_finalizer(self._client, PERSISTENT_VOLUMES, volume, FINALIZER)
        elif step is Step.LET_GO:
            await without_finalizer(self._client, PERSISTENT_VOLUMES, volume, FINALIZER)
        elif step is Step.DELETE:
            return await self._delete(key, volume, driver)
        return None

    async def _delete(self, key: str, cached: Obj, driver: Driver) -> float | None:
        left = self._backoff.left(key)
        if left is not None:
            return left
        try:
            volume = await self._client.get(PERSISTENT_VOLUMES, key)
        except NotFound:
            return None
        if uid_of(volume) != uid_of(cached) or next_step(volume) is not Step.DELETE:
            return None  # the cache lags: somebody wants to keep it
        try:
            secrets = await read_secret(self._client, _deletion_secret(volume))
            await driver.delete(volume["spec"]["csi"]["volumeHandle"], secrets)
        except StorageError as error:
            self._recorder.named(driver.name).event(volume, "Warning", "VolumeFailedDelete", error.message)
            return self._backoff.failed(key)
        self._backoff.forget(key)
        await self._remove(volume)
        return None

    async def _remove(self, volume: Obj) -> None:
        try:
            preconditions = {"preconditions": {"uid": uid_of(volume)}}
            left = await self._client.delete(PERSISTENT_VOLUMES, name_of(volume), options=preconditions)
        except NotFound:
            return
        if left.get("kind") == PERSISTENT_VOLUMES.kind:
            await without_finalizer(self._client, PERSISTENT_VOLUMES, left, FINALIZER)


def _made_by_somebody(volume: Obj) -> Iterable[str]:
    return (name_of(volume),) if PROVISIONED_BY in annotations_of(volume) and "csi" in volume["spec"] else ()


def _handles(volume: Obj) -> Iterable[str]:
    csi = volume["spec"].get("csi")
    return (csi["volumeHandle"],) if csi else ()


def _deletion_secret(volume: Obj) -> SecretRef | None:
    annotations = annotations_of(volume)
    ref = SecretRef(annotations.get(DELETION_SECRET, ""), annotations.get(DELETION_SECRET_NAMESPACE, ""))
    return ref if ref.name and ref.namespace else None
