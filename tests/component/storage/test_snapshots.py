"""Snapshots of claims, restored into others; classes by default; what is given; failures; and what is left: nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.definitions.snapshots import SNAPSHOT_CLASSES, SNAPSHOT_CONTENTS, VOLUME_SNAPSHOTS
from skerry.engine.storage import backoff
from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.snapshots.names import CLAIM_SOURCE
from skerry.kube.errors import Invalid, NotFound
from skerry.kube.objects import Obj, uid_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES
from tests.support.storage import NAME, SNAPSHOTS, StorageWorld, claim, running_storage, snapshot
from tests.support.waiting import until

GROUP = "snapshot.storage.k8s.io"


@pytest.fixture
async def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StorageWorld]:
    monkeypatch.setattr(backoff, "FIRST", 0.01)
    async with running_storage(tmp_path / "volumes") as running:
        await running.client.create(SNAPSHOT_CLASSES, SNAPSHOTS)
        yield running


async def bound(storage: StorageWorld, obj: Obj) -> Obj:
    name = (await storage.client.create(PERSISTENT_VOLUME_CLAIMS, obj, "default"))["metadata"]["name"]

    async def is_bound() -> bool:
        found = await storage.client.get(PERSISTENT_VOLUME_CLAIMS, name, "default")
        return bool((found.get("status") or {}).get("phase") == "Bound")

    await until(is_bound, f"claim {name} bound")
    return await storage.client.get(PERSISTENT_VOLUME_CLAIMS, name, "default")


async def taken(storage: StorageWorld, obj: Obj) -> Obj:
    name = (await storage.client.create(VOLUME_SNAPSHOTS, obj, "default"))["metadata"]["name"]
    await until(lambda: status(storage, name).get("readyToUse"), f"snapshot {name} ready")
    return await storage.client.get(VOLUME_SNAPSHOTS, name, "default")


def status(storage: StorageWorld, name: str) -> Obj:
    return dict((storage.world.get(VOLUME_SNAPSHOTS, name) or {}).get("status") or {})


async def gone(storage: StorageWorld, resource: Any, name: str) -> None:
    async def is_gone() -> bool:
        try:
            await storage.client.get(resource, name, "default" if resource.namespaced else None)
        except NotFound:
            return True
        return False

    await until(is_gone, f"{name} gone")


async def said(storage: StorageWorld, reason: str, text: str) -> None:
    await until(lambda: any(text in one for one in storage.world.events(reason)), f"{reason}: {text}")


async def test_a_snapshot_is_taken_restored_and_deleted(storage: StorageWorld) -> None:
    made = await bound(storage, claim("data"))
    folder = storage.driver.root / made["spec"]["volumeName"]
    (folder / "file").write_text("before")
    first = await taken(storage, snapshot("first", "data"))
    (folder / "file").write_text("after")

    assert first["spec"]["volumeSnapshotClassName"] == "folders"
    assert first["status"]["boundVolumeSnapshotContentName"] == f"snapcontent-{uid_of(first)}"
    assert first["status"]["restoreSize"] == "1Gi"
    assert first["status"]["creationTime"]
    content = await storage.client.get(SNAPSHOT_CONTENTS, f"snapcontent-{uid_of(first)}")
    assert content["spec"]["source"] == {"volumeHandle": made["spec"]["volumeName"]}
    assert content["spec"]["sourceVolumeMode"] == "Filesystem"
    assert content["status"]["snapshotHandle"] == f"snapshot-{uid_of(first)}"
    await said(storage, "SnapshotReady", "Snapshot default/first is ready to use.")
    claims = storage.world.context.informers.of(PERSISTENT_VOLUME_CLAIMS)
    await until(lambda: CLAIM_SOURCE not in (claims.get("data", "default") or {})["metadata"]["finalizers"])

    source = {"apiGroup": GROUP, "kind": "VolumeSnapshot", "name": "first"}
    restored = await bound(storage, claim("restored", dataSource=source))
    assert (storage.driver.root / restored["spec"]["volumeName"] / "file").read_text() == "before"

    await storage.client.create(PERSISTENT_VOLUME_CLAIMS, claim("late", "1Mi", dataSource=source), "default")
    await said(storage, "ProvisioningFailed", "of the source snapshot first")
    await storage.client.delete(VOLUME_SNAPSHOTS, "first", "default")
    await said(storage, "SnapshotDeletePending", "being used to restore a PVC")
    for name in ("data", "late", "restored"):
        await storage.client.delete(PERSISTENT_VOLUME_CLAIMS, name, "default")
    await gone(storage, VOLUME_SNAPSHOTS, "first")
    await gone(storage, SNAPSHOT_CONTENTS, f"snapcontent-{uid_of(first)}")
    for each in (made, restored):
        await gone(storage, PERSISTENT_VOLUMES, each["spec"]["volumeName"])
    assert storage.driver.names == []


async def test_what_is_kept_can_be_given_to_another(storage: StorageWorld) -> None:
    await storage.client.create(
        SNAPSHOT_CLASSES, {**SNAPSHOTS, "metadata": {"name": "keep"}, "deletionPolicy": "Retain"}
    )
    await bound(storage, claim("data"))
    first = await taken(storage, snapshot("first", "data", volumeSnapshotClassName="keep"))
    content = f"snapcontent-{uid_of(first)}"
    await storage.client.delete(VOLUME_SNAPSHOTS, "first", "default")
    await gone(storage, VOLUME_SNAPSHOTS, "first")
    handle = (await storage.client.get(SNAPSHOT_CONTENTS, content))["status"]["snapshotHandle"]
    await storage.client.delete(SNAPSHOT_CONTENTS, content)
    await gone(storage, SNAPSHOT_CONTENTS, content)
    assert handle in storage.driver.names

    given = {
        "apiVersion": f"{GROUP}/v1",
        "kind": "VolumeSnapshotContent",
        "metadata": {"name": "given"},
        "spec": {
            "deletionPolicy": "Delete",
            "driver": NAME,
            "source": {"snapshotHandle": handle},
            "volumeSnapshotRef": {"namespace": "default", "name": "second"},
        },
    }
    wanted = snapshot("second", "")
    wanted["spec"]["source"] = {"volumeSnapshotContentName": "given"}
    await storage.client.create(VOLUME_SNAPSHOTS, wanted, "default")
    await said(storage, "SnapshotContentMissing", "VolumeSnapshotContent given is missing")
    await storage.client.create(SNAPSHOT_CONTENTS, given)
    await until(lambda: status(storage, "second").get("readyToUse"), "given snapshot ready")
    assert "error" not in status(storage, "second")

    thief = snapshot("thief", "")
    thief["spec"]["source"] = {"volumeSnapshotContentName": "given"}
    await storage.client.create(VOLUME_SNAPSHOTS, thief, "default")
    await said(storage, "SnapshotContentMisbound", "bound to a different VolumeSnapshot")
    assert not status(storage, "thief").get("readyToUse")

    await storage.client.delete(VOLUME_SNAPSHOTS, "second", "default")
    await gone(storage, SNAPSHOT_CONTENTS, "given")
    assert handle not in storage.driver.names
    await storage.client.delete(VOLUME_SNAPSHOTS, "thief", "default")
    await gone(storage, VOLUME_SNAPSHOTS, "thief")


async def test_what_cannot_be_taken_is_said_and_tried_again(storage: StorageWorld) -> None:
    await bound(storage, claim("data"))
    with pytest.raises(Invalid, match="exactly one of"):
        await storage.client.create(VOLUME_SNAPSHOTS, {**snapshot("no", "x"), "spec": {"source": {}}}, "default")
    await storage.client.create(SNAPSHOT_CLASSES, {**SNAPSHOTS, "metadata": {"name": "other"}, "driver": "other"})
    for name, of, more in (
        ("early", "later", {}),
        ("unknown", "data", {"volumeSnapshotClassName": "none"}),
        ("foreign", "data", {"volumeSnapshotClassName": "other"}),
    ):
        await storage.client.create(VOLUME_SNAPSHOTS, snapshot(name, of, **more), "default")
    await said(storage, "SnapshotContentCreationFailed", 'persistentvolumeclaim "later" not found')
    await said(storage, "GetSnapshotClassFailed", 'volumesnapshotclass "none" not found')
    await said(storage, "GetSnapshotClassFailed", "class other is of other")
    await until(lambda: "not found" in status(storage, "early")["error"]["message"])

    storage.driver.failures["snapshot"] = [StorageError("INTERNAL", "the camera is broken")]
    await bound(storage, claim("later"))
    await until(lambda: status(storage, "early").get("readyToUse"), "taken when its claim is there")
    assert "error" not in status(storage, "early")
    storage.driver.copies_for = 3
    await taken(storage, snapshot("slow", "data"))
    assert storage.driver.copies_for < 0
    await said(storage, "SnapshotCreationFailed", "the camera is broken")

    # deleted while it is not known how the attempt ended
    storage.driver.failures["snapshot"] = [StorageError("DEADLINE_EXCEEDED", "no answer")] * 1000
    lost = await storage.client.create(VOLUME_SNAPSHOTS, snapshot("lost", "data"), "default")
    await until(lambda: f"snapshot-{uid_of(lost)}" in storage.driver.names)
    await storage.client.delete(VOLUME_SNAPSHOTS, "lost", "default")
    storage.driver.failures["snapshot"] = []
    await gone(storage, VOLUME_SNAPSHOTS, "lost")
    assert f"snapshot-{uid_of(lost)}" not in storage.driver.names
