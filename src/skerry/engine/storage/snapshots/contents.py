"""Takes, looks up and deletes snapshots for VolumeSnapshotContents: what the sidecar csi-snapshotter does.

The name a driver is given follows from the snapshot's uid, so that an attempt whose end was not seen is found again.
Source: external-snapshotter 8.3, `pkg/sidecar-controller`.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.engine.definitions.installing import is_ours
from skerry.engine.definitions.snapshots import SNAPSHOT_CLASSES, SNAPSHOT_CONTENTS, VOLUME_SNAPSHOTS
from skerry.engine.storage.backoff import Backoff
from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.contract import Ability, Driver, Snapshot, StorageError
from skerry.engine.storage.finalizers import without_finalizer
from skerry.engine.storage.secrets import SecretRef, read_secret
from skerry.engine.storage.snapshots import binding, taking
from skerry.engine.storage.snapshots.names import (
    BEING_CREATED,
    BEING_DELETED,
    CONTENT_BOUND,
    DELETION_SECRET,
    DELETION_SECRET_NAMESPACE,
)
from skerry.kube.controller import Controller
from skerry.kube.objects import Obj, annotations_of, is_deleting, name_of, uid_of
from skerry.kube.resources import CUSTOM_RESOURCE_DEFINITIONS


class ContentController(Controller):
    """Keys are contents."""

    name = "snapshot-taker"
    workers = 16

    def __init__(self, context: StorageContext) -> None:
        super().__init__()
        informers = context.informers
        self._client = context.identity("snapshot-controller")
        self._recorder, self._clock, self._drivers = context.recorder, context.clock, context.drivers
        self._contents, self._snapshots = informers.of(SNAPSHOT_CONTENTS), informers.of(VOLUME_SNAPSHOTS)
        self._classes = informers.of(SNAPSHOT_CLASSES)
        self._definitions = informers.metadata_of(CUSTOM_RESOURCE_DEFINITIONS)
        self._backoff = Backoff()
        self._contents.add_index("snapshot", _snapshot_of)
        self.watch(self._contents)
        self.watch(self._snapshots, lambda one: map(name_of, self._contents.by_index("snapshot", uid_of(one))))

    async def reconcile(self, key: str) -> float | None:
        """Bring one content closer to being what it stands for, or to its end."""
        content = self._contents.get(key)
        driver = self._drivers.get(content["spec"]["driver"]) if content is not None else None
        is_served = is_ours(self._definitions.get(SNAPSHOT_CONTENTS.group_resource))
        if content is None or driver is None or not is_served or not self._is_due(content):
            self._backoff.forget(key)
            return None
        left = self._backoff.left(key)
        if left is not None:
            return left
        try:
            done = await (self._end(content, driver) if is_deleting(content) else self._fulfil(content, driver))
        except StorageError as error:
            return await self._failed(content, driver, error)
        if not done:
            return self._backoff.failed(key)
        self._backoff.forget(key)
        return None

    def _is_due(self, content: Obj) -> bool:
        if is_deleting(content):
            return self._is_let_go(content)
        return not (content.get("status") or {}).get("readyToUse") and BEING_DELETED not in annotations_of(content)

    def _is_let_go(self, content: Obj) -> bool:
        """Whether its snapshot is gone or going, or never came."""
        reference = content["spec"]["volumeSnapshotRef"]
        if not reference.get("uid") or BEING_DELETED in annotations_of(content):
            return True
        snapshot = self._snapshots.get(reference["name"], reference["namespace"])
        return snapshot is None or uid_of(snapshot) != reference["uid"]

    async def _fulfil(self, content: Obj, driver: Driver) -> bool:
        """Whether it is ready; some drivers go on copying after they took it. Raises StorageError."""
        handle = content["spec"]["source"].get("snapshotHandle")
        taken = await (self._look_up(content, driver, handle) if handle else self._take(content, driver))
        status = {
            "snapshotHandle": taken.handle,
            "creationTime": int(taken.taken * 10**9),
            "restoreSize": taken.size,
            "readyToUse": taken.ready,
            "error": None,
        }
        await self._client.patch(SNAPSHOT_CONTENTS, name_of(content), {"status": status}, subresource="status")
        await self._forget_begun(content)
        return taken.ready

    async def _forget_begun(self, content: Obj) -> None:
        if BEING_CREATED in annotations_of(content):
            unmarked = {"metadata": {"annotations": {BEING_CREATED: None}}}
            await self._client.patch(SNAPSHOT_CONTENTS, name_of(content), unmarked)

    async def _take(self, content: Obj, driver: Driver) -> Snapshot:
        """Raises StorageError."""
        if Ability.SNAPSHOT not in driver.abilities:
            raise StorageError("UNIMPLEMENTED", f"{driver.name} cannot take snapshots")
        spec = content["spec"]
        snapshot_class = self._classes.get(spec.get("volumeSnapshotClassName", "")) or {}
        secrets = await read_secret(self._client, _secret_of(content))
        name = f"snapshot-{spec['volumeSnapshotRef'].get('uid', '')}"
        return await driver.snapshot(
            name, spec["source"]["volumeHandle"], taking.parameters_of(snapshot_class), secrets
        )

    async def _look_up(self, content: Obj, driver: Driver, handle: str) -> Snapshot:
        """Raises StorageError."""
        found = await driver.snapshot_of(handle, await read_secret(self._client, _secret_of(content)))
        if found is None:
            raise StorageError("NOT_FOUND", f"{driver.name} has no snapshot {handle}")
        return found

    async def _end(self, content: Obj, driver: Driver) -> bool:
        """True: it is over. Raises StorageError."""
        if content["spec"]["deletionPolicy"] == "Delete":
            handle = await self._handle_of(content, driver)
            if handle:
                await driver.delete_snapshot(handle, await read_secret(self._client, _secret_of(content)))
        await without_finalizer(self._client, SNAPSHOT_CONTENTS, content, CONTENT_BOUND)
        return True

    async def _handle_of(self, content: Obj, driver: Driver) -> str:
        """Of the snapshot that is, or may be, there; "" for none."""
        known = (content.get("status") or {}).get("snapshotHandle") or content["spec"]["source"].get("snapshotHandle")
        if known or BEING_CREATED not in annotations_of(content):
            return str(known or "")
        try:
            return (await self._take(content, driver)).handle  # how the attempt ended was not seen
        except StorageError as error:
            if error.is_final:
                return ""
            raise

    async def _failed(self, content: Obj, driver: Driver, error: StorageError) -> float:
        verb, reason = "take", "SnapshotCreationFailed"
        if is_deleting(content):
            verb, reason = "delete", "SnapshotDeleteError"
        text = f"Failed to {verb} snapshot: {error.message}"
        self._recorder.named(driver.name).event(content, "Warning", reason, text)
        status = binding.with_error(content.get("status"), text, self._clock.now())
        if not is_deleting(content) and status != content.get("status"):
            await self._client.patch(SNAPSHOT_CONTENTS, name_of(content), {"status": status}, subresource="status")
        return self._backoff.failed(name_of(content))


def _snapshot_of(content: Obj) -> Iterable[str]:
    uid = content["spec"]["volumeSnapshotRef"].get("uid")
    return (uid,) if uid else ()


def _secret_of(content: Obj) -> SecretRef | None:
    annotations = annotations_of(content)
    ref = SecretRef(annotations.get(DELETION_SECRET, ""), annotations.get(DELETION_SECRET_NAMESPACE, ""))
    return ref if ref.name and ref.namespace else None
