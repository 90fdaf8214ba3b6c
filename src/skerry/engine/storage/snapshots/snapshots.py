"""Binds VolumeSnapshots to their contents: what snapshot-controller does. It knows no driver.

A snapshot of a claim gets a content of its own, which `contents` (or the sidecar of a third party's driver) fulfils; a
snapshot of what is there names a content. Source: external-snapshotter 8.3, `pkg/common-controller`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from skerry.engine.definitions.installing import is_ours
from skerry.engine.definitions.snapshots import SNAPSHOT_CLASSES, SNAPSHOT_CONTENTS, VOLUME_SNAPSHOTS
from skerry.engine.storage.backoff import Backoff
from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.finalizers import finalizers_of, with_finalizer, without_finalizer
from skerry.engine.storage.snapshots import binding, taking
from skerry.engine.storage.snapshots.names import (
    BEING_DELETED,
    CLAIM_SOURCE,
    CONTENT_BOUND,
    SNAPSHOT_BOUND,
    SNAPSHOT_SOURCE,
)
from skerry.engine.storage.snapshots.taking import SnapshotError
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.objects import Obj, annotations_of, is_deleting, key_of, name_of, namespace_of, split_key, uid_of
from skerry.kube.resources import CUSTOM_RESOURCE_DEFINITIONS, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES


class SnapshotController(Controller):
    """Keys are "namespace/snapshot"."""

    name = "snapshot-controller"
    workers = 8

    def __init__(self, context: StorageContext) -> None:
        super().__init__()
        informers = context.informers
        self._client = context.identity("snapshot-controller")
        self._recorder, self._clock = context.recorder.named("snapshot-controller"), context.clock
        self._snapshots, self._contents = informers.of(VOLUME_SNAPSHOTS), informers.of(SNAPSHOT_CONTENTS)
        self._classes = informers.of(SNAPSHOT_CLASSES)
        self._claims, self._volumes = informers.of(PERSISTENT_VOLUME_CLAIMS), informers.of(PERSISTENT_VOLUMES)
        self._definitions = informers.metadata_of(CUSTOM_RESOURCE_DEFINITIONS)
        self._backoff = Backoff()
        self._snapshots.add_index("claim", _claim_of)
        self._claims.add_index("restoring", _restored_from)
        self.watch(self._snapshots)
        self.watch(self._contents, _snapshot_of)
        self.watch(self._claims, self._around)

    def _around(self, claim: Obj) -> Iterable[str]:
        """Snapshots of a claim, and the one it is made from."""
        yield from _restored_from(claim)
        for snapshot in self._snapshots.by_index("claim", key_of(claim)):
            if not (snapshot.get("status") or {}).get("readyToUse"):
                self._backoff.forget(key_of(snapshot))
                yield key_of(snapshot)

    async def reconcile(self, key: str) -> float | None:
        """Bring one snapshot closer to being bound, or to its end."""
        namespace, name = split_key(key)
        snapshot = self._snapshots.get(name, namespace)
        if snapshot is None or not is_ours(self._definitions.get(VOLUME_SNAPSHOTS.group_resource)):
            self._backoff.forget(key)
            return None
        if is_deleting(snapshot):
            await self._end(snapshot)
            return None
        left = self._backoff.left(key)
        if left is not None:
            return left
        try:
            content = await self._content(snapshot)
        except SnapshotError as error:
            self._recorder.event(snapshot, "Warning", error.reason, error.message)
            await self._write(snapshot, binding.with_error(snapshot.get("status"), error.message, self._clock.now()))
            return self._backoff.failed(key)
        self._backoff.forget(key)
        await self._follow(snapshot, content)
        return None

    async def _content(self, snapshot: Obj) -> Obj:
        """The one it is, or will be, bound to. Raises SnapshotError."""
        source = snapshot["spec"]["source"]
        if "volumeSnapshotContentName" in source:
            given = self._contents.get(source["volumeSnapshotContentName"])
            return await self._bind(snapshot, binding.check_given(snapshot, given))
        known = self._contents.get(taking.content_name(snapshot))
        bound = (snapshot.get("status") or {}).get("boundVolumeSnapshotContentName")
        if known is None and bound:
            raise SnapshotError("SnapshotContentMissing", f"VolumeSnapshotContent {bound} is missing")
        return known if known is not None else await self._begin(snapshot, source["persistentVolumeClaimName"])

    async def _bind(self, snapshot: Obj, content: Obj) -> Obj:
        await with_finalizer(self._client, VOLUME_SNAPSHOTS, snapshot, SNAPSHOT_SOURCE, SNAPSHOT_BOUND)
        if content["spec"]["volumeSnapshotRef"].get("uid") == uid_of(snapshot):
            return content
        names = list(dict.fromkeys([*finalizers_of(content), CONTENT_BOUND]))
        changed = {
            "metadata": {"resourceVersion": content["metadata"]["resourceVersion"], "finalizers": names},
            "spec": {"volumeSnapshotRef": taking.reference_to(snapshot)},
        }
        return await self._client.patch(SNAPSHOT_CONTENTS, name_of(content), changed)

    async def _begin(self, snapshot: Obj, name: str) -> Obj:
        """Have it taken. Raises SnapshotError."""
        claim = self._claims.get(name, namespace_of(snapshot))
        bound = self._volumes.get(((claim or {}).get("spec") or {}).get("volumeName", ""))
        claim, volume = taking.volume_of(claim, bound, name)
        snapshot_class = taking.class_for(snapshot, volume["spec"]["csi"]["driver"], self._classes.list())
        content = taking.content_for(snapshot, snapshot_class, volume)
        await asyncio.gather(
            self._prepare(snapshot, name_of(snapshot_class)),
            with_finalizer(self._client, PERSISTENT_VOLUME_CLAIMS, claim, CLAIM_SOURCE),
        )
        try:
            made = await self._client.create(SNAPSHOT_CONTENTS, content)
        except AlreadyExists:
            return await self._client.get(SNAPSHOT_CONTENTS, name_of(content))
        text = f"Waiting for a snapshot {key_of(snapshot)} to be created by the CSI driver."
        self._recorder.event(snapshot, "Normal", "CreatingSnapshot", text)
        return made

    async def _prepare(self, snapshot: Obj, class_name: str) -> None:
        """Finalizers, and the class it has by default."""
        names = list(dict.fromkeys([*finalizers_of(snapshot), SNAPSHOT_SOURCE, SNAPSHOT_BOUND]))
        if names == finalizers_of(snapshot) and snapshot["spec"].get("volumeSnapshotClassName"):
            return
        metadata = {"finalizers": names, "resourceVersion": snapshot["metadata"]["resourceVersion"]}
        changed = {"metadata": metadata, "spec": {"volumeSnapshotClassName": class_name}}
        await self._client.patch(VOLUME_SNAPSHOTS, name_of(snapshot), changed, namespace_of(snapshot))

    async def _follow(self, snapshot: Obj, content: Obj) -> None:
        """Say of the snapshot what its content says."""
        before, status = snapshot.get("status") or {}, binding.status_of(content)
        if not await self._write(snapshot, status):
            return
        if "creationTime" in status and "creationTime" not in before:
            text = f"Snapshot {key_of(snapshot)} was successfully created by the CSI driver."
            self._recorder.event(snapshot, "Normal", "SnapshotCreated", text)
        if status["readyToUse"] and not before.get("readyToUse"):
            self._recorder.event(snapshot, "Normal", "SnapshotReady", f"Snapshot {key_of(snapshot)} is ready to use.")
        message = (status.get("error") or {}).get("message")
        if message and message != (before.get("error") or {}).get("message"):
            self._recorder.event(snapshot, "Warning", "SnapshotCreationFailed", message)

    async def _write(self, snapshot: Obj, status: Obj) -> bool:
        """Whether anything changed."""
        before = snapshot.get("status") or {}
        if before == status:
            return False
        gone: Obj = dict.fromkeys(before.keys() - status.keys())
        await self._client.patch(
            VOLUME_SNAPSHOTS, name_of(snapshot), {"status": {**status, **gone}}, namespace_of(snapshot),
            subresource="status",
        )  # fmt: skip
        return True

    async def _end(self, snapshot: Obj) -> None:
        """Let a deleted snapshot go, with or without what it stands for."""
        if self._claims.count("restoring", key_of(snapshot)) and (snapshot.get("status") or {}).get("readyToUse"):
            text = "Snapshot is being used to restore a PVC"
            self._recorder.event(snapshot, "Warning", "SnapshotDeletePending", text)
            return
        content = await self._content_of_deleted(snapshot)
        if content is not None:
            await self._mark(content)
            if content["spec"]["deletionPolicy"] == "Delete":
                if not is_deleting(content):
                    await self._client.delete(SNAPSHOT_CONTENTS, name_of(content))
                return  # when the content is gone this is called again
        await without_finalizer(self._client, VOLUME_SNAPSHOTS, snapshot, SNAPSHOT_SOURCE, SNAPSHOT_BOUND)

    async def _content_of_deleted(self, snapshot: Obj) -> Obj | None:
        """Asked of the API: one that was just made may not be in the cache."""
        given = snapshot["spec"]["source"].get("volumeSnapshotContentName")
        try:
            content = await self._client.get(SNAPSHOT_CONTENTS, given or taking.content_name(snapshot))
        except NotFound:
            return None
        is_its_own = content["spec"]["volumeSnapshotRef"].get("uid") == uid_of(snapshot)
        return content if is_its_own else None

    async def _mark(self, content: Obj) -> None:
        if BEING_DELETED not in annotations_of(content):
            marked = {"metadata": {"annotations": {BEING_DELETED: "yes"}}}
            await self._client.patch(SNAPSHOT_CONTENTS, name_of(content), marked)


def _claim_of(snapshot: Obj) -> Iterable[str]:
    name = snapshot["spec"]["source"].get("persistentVolumeClaimName")
    return (f"{namespace_of(snapshot)}/{name}",) if name else ()


def _snapshot_of(content: Obj) -> Iterable[str]:
    reference = content["spec"]["volumeSnapshotRef"]
    return (f"{reference['namespace']}/{reference['name']}",)


def _restored_from(claim: Obj) -> Iterable[str]:
    """The snapshot whose data a claim waits for."""
    given = claim["spec"].get("dataSourceRef") or claim["spec"].get("dataSource")
    if not given or given["kind"] != "VolumeSnapshot" or claim["spec"].get("volumeName"):
        return ()
    return (f"{namespace_of(claim)}/{given['name']}",)
