"""Claims as containers see them, through a driver of the tests' own."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from skerry.engine import mounts
from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.mounting import pods as mounting
from skerry.kube.objects import Obj
from skerry.kube.resources import CSI_DRIVERS, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, SECRETS
from tests.component.node.bind_driver import NAME, BindDriver
from tests.component.node.node import Node, container, pod, ready
from tests.support.waiting import until

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="package")]


@pytest_asyncio.fixture(loop_scope="package")
async def driver(node: Node) -> AsyncIterator[BindDriver]:
    """Registered while a test runs; afterwards nothing of it is mounted."""
    made = BindDriver(node.config.paths.data / "volumes-of-tests")
    node.drivers.add(NAME, made)
    yield made
    made.failure = None
    made.hanging.clear()
    made.hangs.set()
    for pod_left in (await node.client.list(PODS)).items:
        await node.delete(pod_left["metadata"]["name"], 1)
    await until(lambda: not left(node), "the end of all mounts")
    node.drivers.remove(NAME, made)


def left(node: Node) -> list[Path]:
    """Mounts and files of the journal that are still there."""
    storage = node.config.paths.data / "storage"
    return [*mounts.at_or_below(storage), *storage.rglob("*.json")]


async def bound(node: Node, name: str, handle: str = "", **spec: Any) -> None:
    """A volume of the driver, and a claim that is bound to it."""
    volume = {
        "metadata": {"name": f"pv-{name}"},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "csi": {"driver": NAME, "volumeHandle": handle or name, "volumeAttributes": {"a": "b"}},
            **spec,
        },
    }
    claim = await claimed(node, name)
    volume["spec"]["claimRef"] = {"namespace": "default", "name": name, "uid": claim["metadata"]["uid"]}
    await node.client.create(PERSISTENT_VOLUMES, volume)
    await bind(node, name)


async def claimed(node: Node, name: str, **metadata: Any) -> Obj:
    request = {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "volumeName": f"pv-{name}"}
    resources = {"requests": {"storage": "1Gi"}}
    claim = {"metadata": {"name": name, **metadata}, "spec": {**request, "resources": resources}}
    return await node.client.create(PERSISTENT_VOLUME_CLAIMS, claim, "default")


async def bind(node: Node, name: str) -> None:
    status = {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}
    await node.client.patch(PERSISTENT_VOLUME_CLAIMS, name, {"status": status}, "default", subresource="status")


def using(name: str, claim: str, mount: Obj | None = None, **spec: Any) -> Obj:
    main = container(volumeMounts=[{"name": "data", "mountPath": "/data", **(mount or {})}])
    return pod(name, main, volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": claim}}], **spec)


async def test_what_one_pod_wrote_the_next_reads_and_nothing_is_left(node: Node, driver: BindDriver) -> None:
    """Staged once for two pods, unstaged after the last; group, options, secrets, a part of the volume."""
    await node.client.create(SECRETS, {"metadata": {"name": "key"}, "stringData": {"k": "hidden"}}, "default")
    source = {"driver": NAME, "volumeHandle": "kept", "nodePublishSecretRef": {"name": "key", "namespace": "default"}}
    await bound(node, "kept", csi=source, mountOptions=["noatime"])
    await node.create(using("writer", "kept", securityContext={"fsGroup": 4321}))
    await node.create(using("beside", "kept", {"subPath": "part"}))
    running = await node.until("writer", ready)
    await node.until("beside", ready)
    await node.exec("writer", "sh", "-c", "echo hello > /data/file")
    assert await node.exec("writer", "stat", "-c", "%g", "/data/file") == "4321\n"
    assert "part" in await node.exec("writer", "ls", "/data")
    assert driver.calls.count("stage kept") == 1
    assert driver.options == ("noatime",)
    assert driver.secrets["publish"] == {"k": "hidden"}
    assert "hidden" not in "".join(path.read_text() for path in left(node) if path.suffix == ".json")
    told = {(one.pod, one.claim, one.handle) for one in node.mounts.mounted()}
    assert told == {("writer", "kept", "kept"), ("beside", "kept", "kept")}
    await node.delete("beside", 1)
    await node.until_gone("beside")
    assert "unstage kept" not in driver.calls
    await node.delete("writer", 1)
    await node.until_gone("writer")
    assert driver.calls[-2:] == ["unpublish kept", "unstage kept"]
    assert not left(node)
    await until(lambda: not (node.config.paths.pods / running["metadata"]["uid"]).exists(), "the end of the directory")
    read_only = {"name": "data", "persistentVolumeClaim": {"claimName": "kept", "readOnly": True}}
    await node.create({**using("reader", "kept"), "spec": {**using("reader", "kept")["spec"], "volumes": [read_only]}})
    await node.until("reader", ready)
    assert await node.exec("reader", "cat", "/data/file") == "hello\n"
    assert "Read-only" in await node.exec("reader", "sh", "-c", "touch /data/no 2>&1 || true")


async def test_a_driver_that_wants_it_publishes_again_with_what_is_new(
    node: Node, driver: BindDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it renews what it made of a Secret; a failure is told and takes nothing from the pod."""
    monkeypatch.setattr("skerry.engine.storage.mounting.republishing.PERIOD", 0.1)
    await node.client.create(SECRETS, {"metadata": {"name": "turning"}, "stringData": {"k": "old"}}, "default")
    secret = {"name": "turning", "namespace": "default"}
    await bound(node, "again", csi={"driver": NAME, "volumeHandle": "again", "nodePublishSecretRef": secret})
    await node.create(using("renewed", "again"))
    await node.until("renewed", ready)
    assert driver.calls.count("publish again") == 1
    wanted = {"metadata": {"name": NAME}, "spec": {"attachRequired": False, "requiresRepublish": True}}
    await node.client.create(CSI_DRIVERS, wanted)
    try:
        await until(lambda: driver.calls.count("publish again") > 2, "a volume published again")
        await node.client.patch(SECRETS, "turning", {"stringData": {"k": "new"}}, "default")
        await until(lambda: driver.secrets["publish"] == {"k": "new"}, "the new secret")
        assert driver.calls.count("stage again") == 1
        driver.failure = StorageError("UNAVAILABLE", "the vault does not answer")
        await node.until_told("renewed", "FailedMount", "desc = the vault does not answer")
        assert node.mounts.mounted()
        driver.failure = None
        await node.exec("renewed", "sh", "-c", "echo there > /data/file")
    finally:
        await node.client.delete(CSI_DRIVERS, NAME)


async def test_a_pod_starts_when_its_claim_is_bound(node: Node, driver: BindDriver) -> None:
    """Told why it waits, in the kubelet's words, and woken by the claim: no attempt is due for minutes."""
    await node.create(using("early", "later"))
    await node.until_told("early", "FailedMount", 'persistentvolumeclaim "later" not found')
    claim = await claimed(node, "later")
    await node.until_told("early", "FailedMount", "error processing PVC default/later: PVC is not bound")
    source = {"driver": NAME, "volumeHandle": "later"}
    reference = {"namespace": "default", "name": "later", "uid": claim["metadata"]["uid"]}
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "csi": source, "claimRef": reference}
    await node.client.create(PERSISTENT_VOLUMES, {"metadata": {"name": "pv-later"}, "spec": spec})
    driver.failure = StorageError("UNAVAILABLE", "the server does not answer")
    await bind(node, "later")
    why = 'MountVolume.MountDevice failed for volume "pv-later" : rpc error: code = Unavailable desc = the server'
    await node.until_told("early", "FailedMount", why)
    driver.failure = None
    node.drivers.add(NAME, driver)  # it is back
    await node.until("early", ready)


async def test_a_driver_that_hangs_holds_up_nobody(
    node: Node, driver: BindDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither other pods nor the end of its own; what it left is taken back later."""
    monkeypatch.setattr(mounting, "_GIVEN_BACK", 0.3)
    await bound(node, "stuck")
    driver.hanging.add("publish")
    await node.create(using("waiting", "stuck"))
    await until(lambda: "publish stuck" in driver.calls, "the call that hangs")
    await node.create(pod("other"))
    await node.until("other", ready)
    await node.delete("waiting", 1)
    await node.until_gone("waiting")
    assert left(node)
    node.drivers.remove(NAME, driver)
    driver.hanging.clear()
    driver.hangs.set()
    await node.until_told("waiting", "FailedUnMount", f"driver name {NAME} not found")
    node.drivers.add(NAME, driver)
    await until(lambda: not left(node), "the end of what it mounted late")


async def test_the_next_agent_takes_over_and_cleans_up(node: Node, driver: BindDriver) -> None:
    """A pod that runs keeps its volume; of one that went meanwhile nothing is left, nor of what was half staged."""
    for name in ("stays", "goes"):
        await bound(node, name)
        await node.create(using(name, name))
        await node.until(name, ready)
    await node.exec("stays", "sh", "-c", "echo here > /data/file")
    await node.stop()
    await node.delete("goes", 0)
    half = node.mounts._journal.stage_path(NAME, "half")
    half.mkdir(parents=True)
    half.with_name(f"{half.name}.json").write_text(f'{{"driver": "{NAME}", "handle": "half", "path": "{half}"}}')
    await node.start()
    await until(lambda: "unstage half" in driver.calls and "unstage goes" in driver.calls, "what nobody has")
    assert await node.exec("stays", "cat", "/data/file") == "here\n"
    await until(lambda: [one.handle for one in node.mounts.published()] == ["stays"], "the volume of the pod that runs")
    assert "unstage stays" not in driver.calls


async def test_a_volume_that_grew_is_grown_where_it_is_mounted(node: Node, driver: BindDriver) -> None:
    await bound(node, "grows")
    await node.create(using("growing", "grows"))
    await node.until("growing", ready)
    await node.client.patch(PERSISTENT_VOLUMES, "pv-grows", {"spec": {"capacity": {"storage": "2Gi"}}})
    pending = {"type": "FileSystemResizePending", "status": "True"}
    status = {"conditions": [pending], "allocatedResourceStatuses": {"storage": "NodeResizePending"}}
    await node.client.patch(PERSISTENT_VOLUME_CLAIMS, "grows", {"status": status}, "default", subresource="status")

    async def grown() -> bool:
        now = (await node.client.get(PERSISTENT_VOLUME_CLAIMS, "grows", "default"))["status"]
        return now["capacity"]["storage"] == "2Gi" and not now.get("conditions")

    await until(grown, "the claim's new size")
    assert driver.sizes == {"grows": 2 << 30}
    await node.until_told("growing", "FileSystemResizeSuccessful")


async def test_a_device_is_given_as_one(node: Node, driver: BindDriver) -> None:
    image = node.config.paths.data / "block.img"
    image.write_bytes(b"raw bytes".ljust(1 << 20, b"\0"))
    attached = subprocess.run(["losetup", "--show", "-f", image], check=True, capture_output=True, text=True)
    device = attached.stdout.strip()
    try:
        source = {"driver": NAME, "volumeHandle": "block", "volumeAttributes": {"device": device}}
        await bound(node, "block", volumeMode="Block", csi=source)
        main = container(volumeDevices=[{"name": "data", "devicePath": "/dev/xvda"}])
        claim = {"name": "data", "persistentVolumeClaim": {"claimName": "block"}}
        await node.create(pod("blocky", main, volumes=[claim]))
        await node.create(using("mistaken", "block"))
        await node.until("blocky", ready)
        assert await node.exec("blocky", "head", "-c", "9", "/dev/xvda") == "raw bytes"
        await node.until_told(
            "mistaken", "FailedMount", "volume data has volumeMode Block, but is specified in volumeMounts"
        )
        for name in ("blocky", "mistaken"):
            await node.delete(name, 1)
            await node.until_gone(name)
    finally:
        subprocess.run(["losetup", "-d", device], check=True)


async def test_a_volume_for_one_pod_is_refused_to_a_second(node: Node, driver: BindDriver) -> None:
    await bound(node, "single", accessModes=["ReadWriteOncePod"])
    await node.create(using("first", "single"))
    await node.until("first", ready)
    await node.create(using("second", "single"))
    await node.until_told("second", "FailedMount", "is already in use by another pod")
    await node.delete("second", 0)
    await node.until_gone("second")
    assert await asyncio.to_thread(driver.root.joinpath("single").is_dir)


async def test_volumes_without_a_driver(node: Node, driver: BindDriver) -> None:
    """A directory of the machine as `local` and as `hostPath`; an NFS server that is not there."""
    directory = node.config.paths.data / "of-the-machine"
    directory.mkdir()
    (directory / "file").write_text("here")
    await bound(node, "local", csi=None, local={"path": str(directory)}, nodeAffinity=_ANYWHERE)
    await bound(node, "path", csi=None, hostPath={"path": str(directory)})
    claims = [("l", "local", False), ("p", "path", True)]
    main = container(volumeMounts=[{"name": name, "mountPath": f"/{name}"} for name, _, _ in claims])
    volumes = [
        {"name": name, "persistentVolumeClaim": {"claimName": claim, "readOnly": read_only}}
        for name, claim, read_only in claims
    ]
    await node.create(pod("direct", main, volumes=volumes))
    await node.until("direct", ready)
    assert await node.exec("direct", "cat", "/l/file", "/p/file") == "herehere"
    said = await node.exec("direct", "sh", "-c", "touch /l/new; touch /p/no 2>&1 || true")
    assert "Read-only" in said
    assert (directory / "new").exists()
    export = {"name": "v", "nfs": {"server": "127.0.0.1", "path": "/nothing"}}
    main = container(volumeMounts=[{"name": "v", "mountPath": "/v"}])
    await node.create(pod("remote", main, volumes=[export]))
    await node.until_told("remote", "FailedMount", 'MountVolume.SetUp failed for volume "v" : rpc error')
    await node.delete("direct", 1)
    await node.until_gone("direct")
    assert (directory / "file").read_text() == "here"


_ANYWHERE = {
    "required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "Exists"}]}]}
}
