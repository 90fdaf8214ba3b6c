"""Volumes made for claims by a driver of directories, deleted with them, expanded and cloned; failures in between."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.engine.storage import backoff
from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.provisioning import capacity
from skerry.engine.storage.provisioning.names import FINALIZER
from skerry.kube.conditions import condition_of
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, annotations_of, uid_of
from skerry.kube.resources import (
    CSI_DRIVERS,
    CSI_STORAGE_CAPACITIES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    SECRETS,
    STORAGE_CLASSES,
)
from skerry.kube.volumes import OLD_CLASS, PROVISIONER, SELECTED_NODE
from tests.support.storage import NAME, StorageWorld, claim, running_storage, storage_class
from tests.support.waiting import until

GIB = 2**30


@pytest.fixture
async def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StorageWorld]:
    monkeypatch.setattr(backoff, "FIRST", 0.01)
    async with running_storage(tmp_path / "volumes") as running:
        yield running


def phase(storage: StorageWorld, name: str) -> str:
    found = storage.world.get(PERSISTENT_VOLUME_CLAIMS, name)
    return str((found or {}).get("status", {}).get("phase", ""))


async def make(storage: StorageWorld, obj: Obj) -> Obj:
    return await storage.client.create(PERSISTENT_VOLUME_CLAIMS, obj, "default")


async def bound(storage: StorageWorld, obj: Obj) -> Obj:
    """The claim, with its volume."""
    name = (await make(storage, obj))["metadata"]["name"]
    await until(lambda: phase(storage, name) == "Bound", f"claim {name} bound")
    return await storage.client.get(PERSISTENT_VOLUME_CLAIMS, name, "default")


async def said(storage: StorageWorld, reason: str, text: str) -> None:
    await until(lambda: any(text in one for one in storage.world.events(reason)), f"{reason}: {text}")


async def gone(storage: StorageWorld, name: str) -> None:
    async def is_gone() -> bool:
        try:
            await storage.client.get(PERSISTENT_VOLUMES, name)
        except NotFound:
            return True
        return False

    await until(is_gone, f"{name} gone")


async def test_a_claim_has_a_volume_that_grows_is_cloned_and_goes(storage: StorageWorld) -> None:
    data = {key: base64.b64encode(value).decode() for key, value in {"user": b"anna", "password": b"secret"}.items()}
    await storage.client.create(SECRETS, {"metadata": {"name": "data-access"}, "data": data}, "default")
    parameters = {"pool": "fast", "csi.storage.k8s.io/fstype": "ext4"}
    for purpose in ("provisioner", "node-publish", "controller-expand"):
        parameters[f"csi.storage.k8s.io/{purpose}-secret-name"] = "${pvc.annotations['prefix']}-access"
        parameters[f"csi.storage.k8s.io/{purpose}-secret-namespace"] = "${pvc.namespace}"
    with_secrets = storage_class("secret", parameters=parameters, mountOptions=["noatime"])
    await storage.client.create(STORAGE_CLASSES, with_secrets)
    wanted = claim("one", storageClassName="secret")
    wanted["metadata"]["annotations"] = {"prefix": "data"}

    made = await bound(storage, wanted)
    volume = await storage.client.get(PERSISTENT_VOLUMES, f"pvc-{uid_of(made)}")
    assert made["spec"]["volumeName"] == volume["metadata"]["name"]
    assert volume["spec"]["csi"] == {
        "driver": NAME,
        "volumeHandle": f"pvc-{uid_of(made)}",
        "volumeAttributes": {"folder": f"pvc-{uid_of(made)}"},
        "fsType": "ext4",
        "nodePublishSecretRef": {"name": "data-access", "namespace": "default"},
        "controllerExpandSecretRef": {"name": "data-access", "namespace": "default"},
    }
    assert volume["spec"]["mountOptions"] == ["noatime"]
    assert volume["spec"]["capacity"] == {"storage": "1Gi"}
    assert FINALIZER in volume["metadata"]["finalizers"]
    (term,) = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["node"]}]
    (request,) = storage.driver.requests
    assert (request.claim, request.parameters) == (("default", "one"), {"pool": "fast"})
    assert request.secrets == {"user": "anna", "password": "secret"}
    await said(storage, "ProvisioningSucceeded", f"Successfully provisioned volume pvc-{uid_of(made)}")

    (storage.driver.root / volume["metadata"]["name"] / "file").write_text("content")
    grown = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    await storage.client.patch(PERSISTENT_VOLUME_CLAIMS, "one", grown, "default")
    await said(storage, "VolumeResizeSuccessful", "Resize volume succeeded")
    made = await storage.client.get(PERSISTENT_VOLUME_CLAIMS, "one", "default")
    assert made["status"]["capacity"] == made["status"]["allocatedResources"] == {"storage": "2Gi"}
    assert not made["status"].get("conditions")
    assert storage.driver.secrets["expand"] == request.secrets
    volume = await storage.client.get(PERSISTENT_VOLUMES, f"pvc-{uid_of(made)}")
    assert volume["spec"]["capacity"] == {"storage": "2Gi"}

    source = {"kind": "PersistentVolumeClaim", "name": "one"}
    await make(storage, claim("small", dataSource=source))
    await said(storage, "ProvisioningFailed", f"size {GIB} is less than the size {2 * GIB} of the source claim one")
    copy = await bound(storage, claim("copy", "2Gi", dataSource=source))
    assert (storage.driver.root / f"pvc-{uid_of(copy)}" / "file").read_text() == "content"

    for name in ("one", "small", "copy"):
        await storage.client.delete(PERSISTENT_VOLUME_CLAIMS, name, "default")
    for each in (made, copy):
        await gone(storage, f"pvc-{uid_of(each)}")
    assert storage.driver.names == []
    assert (await storage.client.list(PERSISTENT_VOLUME_CLAIMS)).items == []
    assert storage.driver.secrets["delete"] == {} or storage.driver.secrets["delete"] == request.secrets


async def test_what_cannot_be_had_is_said(storage: StorageWorld) -> None:
    client = storage.client
    missing = {f"csi.storage.k8s.io/provisioner-secret-{part}": "lost" for part in ("name", "namespace")}
    for name, parameters in {
        "lost": missing,
        "unknown": {"csi.storage.k8s.io/fs": "ext4"},
        "template": dict.fromkeys(missing, "${pvc.size}"),
    }.items():
        await client.create(STORAGE_CLASSES, storage_class(name, parameters=parameters))
    await make(storage, claim("block", volumeMode="Block"))
    await make(storage, claim("file", dataSourceRef={"apiGroup": "example.com", "kind": "Tape", "name": "a"}))
    await make(storage, claim("lost", storageClassName="lost"))
    await make(storage, claim("unknown", storageClassName="unknown"))
    await make(storage, claim("template", storageClassName="template"))
    snapshot = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "none"}
    await make(storage, claim("restored", dataSource=snapshot))
    for text in (
        f"{NAME} has no block volumes",
        "a volume cannot be made from a Tape.example.com",
        'secret "lost" not found in namespace "lost"',
        "parameter csi.storage.k8s.io/fs of the class is not known",
        "${pvc.size} is not known here",
        'volumesnapshot "none" not found',
    ):
        await said(storage, "ProvisioningFailed", text)
    assert storage.driver.calls == []
    await client.create(SECRETS, {"metadata": {"name": "access"}}, "default")


async def test_what_a_driver_refuses_is_asked_again_and_nothing_leaks(
    storage: StorageWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = storage.driver.failures
    failures["create"] = [StorageError("INTERNAL", "the disk is on fire"), StorageError("UNAVAILABLE", "gone fishing")]
    made = await bound(storage, claim("one"))
    await said(storage, "ProvisioningFailed", "the disk is on fire")
    assert [call for call in storage.driver.calls if call[0] == "create"] == [("create", f"pvc-{uid_of(made)}")] * 3

    failures["delete"] = [StorageError("FAILED_PRECONDITION", "it is mounted")]
    await storage.client.delete(PERSISTENT_VOLUMES, f"pvc-{uid_of(made)}")
    assert (await storage.client.get(PERSISTENT_VOLUMES, f"pvc-{uid_of(made)}"))["status"]["phase"] == "Bound"
    await storage.client.delete(PERSISTENT_VOLUME_CLAIMS, "one", "default")
    await gone(storage, f"pvc-{uid_of(made)}")
    await said(storage, "VolumeFailedDelete", "it is mounted")
    assert storage.driver.names == []

    # the driver does not say how it ended, and the claim goes meanwhile
    monkeypatch.setattr(backoff, "FIRST", 0.2)
    failures["create"] = [StorageError("DEADLINE_EXCEEDED", "no answer")] * 2
    lost = await make(storage, claim("lost"))
    await until(lambda: ("create", f"pvc-{uid_of(lost)}") in storage.driver.calls)
    await storage.client.delete(STORAGE_CLASSES, "folders")  # it is asked in the words of the first attempt
    await storage.client.delete(PERSISTENT_VOLUME_CLAIMS, "lost", "default")
    await until(lambda: ("delete", f"pvc-{uid_of(lost)}") in storage.driver.calls)
    await gone(storage, f"pvc-{uid_of(lost)}")
    assert storage.driver.names == []


async def test_a_claim_of_the_same_name_has_its_volume_after_the_end_of_the_one_before(storage: StorageWorld) -> None:
    storage.driver.failures["create"] = [StorageError("DEADLINE_EXCEEDED", "no answer")] * 10_000
    first = await make(storage, claim("one"))
    await until(lambda: ("create", f"pvc-{uid_of(first)}") in storage.driver.calls)
    await storage.client.delete(PERSISTENT_VOLUME_CLAIMS, "one", "default")
    await until(lambda: storage.world.get(PERSISTENT_VOLUME_CLAIMS, "one") is None)
    second = await make(storage, claim("one"))
    await until(lambda: PROVISIONER in annotations_of(storage.world.get(PERSISTENT_VOLUME_CLAIMS, "one") or {}))
    storage.driver.failures["create"] = []
    await until(lambda: phase(storage, "one") == "Bound", "the second claim bound")
    await gone(storage, f"pvc-{uid_of(first)}")
    assert storage.driver.names == [f"pvc-{uid_of(second)}"]


async def test_volumes_are_kept_or_not_as_their_policy_says_now(storage: StorageWorld) -> None:
    made = await bound(storage, claim("one"))
    name = f"pvc-{uid_of(made)}"
    retain = {"spec": {"persistentVolumeReclaimPolicy": "Retain"}}
    await storage.client.patch(PERSISTENT_VOLUMES, name, retain)
    await until(lambda: FINALIZER not in (storage.world.get(PERSISTENT_VOLUMES, name) or {})["metadata"]["finalizers"])
    await storage.client.delete(PERSISTENT_VOLUME_CLAIMS, "one", "default")
    await until(lambda: (storage.world.get(PERSISTENT_VOLUMES, name) or {})["status"]["phase"] == "Released")
    assert storage.driver.names == [name]
    await storage.client.patch(PERSISTENT_VOLUMES, name, {"spec": {"persistentVolumeReclaimPolicy": "Delete"}})
    await gone(storage, name)
    assert storage.driver.names == []


async def test_the_first_consumer_says_where_and_a_failure_lets_it_look_elsewhere(storage: StorageWorld) -> None:
    await storage.client.create(STORAGE_CLASSES, storage_class("waits", volumeBindingMode="WaitForFirstConsumer"))
    storage.driver.failures["create"] = [StorageError("RESOURCE_EXHAUSTED", "no room on this node")]
    await make(storage, claim("one", storageClassName="waits"))
    await said(storage, "WaitForFirstConsumer", "first consumer")
    assert storage.driver.calls == []

    async def choose() -> None:
        """As the scheduler does."""
        chosen = {"metadata": {"annotations": {SELECTED_NODE: "node"}}}
        await storage.client.patch(PERSISTENT_VOLUME_CLAIMS, "one", chosen, "default")

    await choose()
    await said(storage, "ProvisioningFailed", "no room on this node")
    await until(
        lambda: SELECTED_NODE not in annotations_of(storage.world.get(PERSISTENT_VOLUME_CLAIMS, "one") or {}),
        "the scheduler is asked again",
    )
    assert len(storage.driver.calls) == 1
    await choose()
    await until(lambda: phase(storage, "one") == "Bound", "bound at the second attempt")
    assert [one.topology for one in storage.driver.requests] == [{"kubernetes.io/hostname": "node"}] * 2


async def test_an_expansion_that_fails_says_so_and_can_be_taken_back(storage: StorageWorld) -> None:
    async def resize(size: str) -> None:
        wanted = {"spec": {"resources": {"requests": {"storage": size}}}}
        await storage.client.patch(PERSISTENT_VOLUME_CLAIMS, "one", wanted, "default")

    def status() -> Obj:
        return dict((storage.world.get(PERSISTENT_VOLUME_CLAIMS, "one") or {}).get("status") or {})

    await bound(storage, claim("one"))
    storage.driver.largest = 2**40
    await resize("9Ti")
    await said(storage, "VolumeResizeFailed", "there is no such disk")
    await until(lambda: status().get("allocatedResourceStatuses") == {"storage": "ControllerResizeInfeasible"})
    assert status()["allocatedResources"] == {"storage": "9Ti"}
    assert condition_of({"status": status()}, "ControllerResizeError")

    storage.driver.on_node = True
    await resize("3Gi")
    await until(lambda: status().get("allocatedResourceStatuses") == {"storage": "NodeResizePending"})
    assert status()["capacity"] == {"storage": "1Gi"}
    assert condition_of({"status": status()}, "FileSystemResizePending")
    assert not condition_of({"status": status()}, "Resizing")
    await said(storage, "FileSystemResizeRequired", "Require file system resize")


async def test_room_is_published_as_volumes_come_and_go(storage: StorageWorld) -> None:
    await storage.client.create(CSI_DRIVERS, {"metadata": {"name": NAME}, "spec": {"storageCapacity": True}})

    async def is_room(size: str) -> bool:
        found = (await storage.client.list(CSI_STORAGE_CAPACITIES)).items
        here = {"matchLabels": {"kubernetes.io/hostname": "node"}}
        return [(one["storageClassName"], one["nodeTopology"], one["capacity"]) for one in found] == [
            ("folders", here, size)
        ]

    await until(lambda: is_room("1000Gi"))
    await bound(storage, claim("one", "40Gi"))
    await until(lambda: is_room("960Gi"))
    storage.driver.failures["capacity"] = [StorageError("UNAVAILABLE", "it is asleep")]
    await storage.client.delete(PERSISTENT_VOLUME_CLAIMS, "one", "default")
    await until(lambda: is_room("1000Gi"))


async def test_pods_are_sent_to_where_there_is_room_once_it_is_known(
    storage: StorageWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, a scheduler that believes `storageCapacity` would find no room anywhere."""
    monkeypatch.setattr(capacity, "DOMAIN", ".test.skerry.dev")
    await storage.client.create(CSI_DRIVERS, {"metadata": {"name": NAME}, "spec": {"storageCapacity": False}})

    async def is_said() -> bool:
        return bool((await storage.client.get(CSI_DRIVERS, NAME))["spec"].get("storageCapacity"))

    await until(is_said, "capacities count")
    assert [one["storageClassName"] for one in (await storage.client.list(CSI_STORAGE_CAPACITIES)).items] == ["folders"]


async def test_many_claims_at_once_and_the_room_started_anew(storage: StorageWorld, tmp_path: Path) -> None:
    await asyncio.gather(*(make(storage, claim(f"c{number}")) for number in range(200)))
    await until(lambda: all(phase(storage, f"c{number}") == "Bound" for number in range(200)), "200 claims bound")
    assert len(storage.driver.names) == len(storage.driver.requests) == 200

    async with running_storage(tmp_path / "volumes", storage.world) as again:
        await storage.client.delete(PERSISTENT_VOLUME_CLAIMS, "c0", "default")
        await until(lambda: len(storage.driver.names) == 199)
        assert not [call for call in again.driver.calls if call[0] == "create"]


async def test_a_class_named_by_the_old_annotation_gives_the_volume(storage: StorageWorld) -> None:
    await storage.client.create(STORAGE_CLASSES, storage_class("old"))
    wanted = claim("one")
    del wanted["spec"]["storageClassName"]
    made = await bound(storage, {**wanted, "metadata": {"name": "one", "annotations": {OLD_CLASS: "old"}}})
    volume = await storage.client.get(PERSISTENT_VOLUMES, made["spec"]["volumeName"])
    assert volume["spec"]["storageClassName"] == "old"
