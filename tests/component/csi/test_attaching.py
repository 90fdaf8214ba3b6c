"""Attaching by the engine: a VolumeAttachment for a pod's volume, answered through the driver, kept while mounted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from skerry.engine.program.context import make_context
from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.contract import Use, VolumeRequest
from skerry.engine.storage.csi.attaching.attacher import FINALIZER
from skerry.engine.storage.csi.attaching.waking import Attaching
from skerry.engine.storage.csi.driver_objects import CONTROLLER_ANNOTATION
from skerry.engine.storage.csi.facts import abilities, ask
from skerry.engine.storage.csi.remote_driver import RemoteDriver
from skerry.engine.storage.driven import DrivenDrivers
from skerry.engine.storage.mounting.resolving import attachment_name
from skerry.engine.storage.registry import Drivers
from skerry.kube.client import Client
from skerry.kube.errors import NotFound
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj
from skerry.kube.resources import (
    CSI_DRIVERS,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    VOLUME_ATTACHMENTS,
)
from tests.component.csi.running import DriverProcess, client_of, running_driver
from tests.support.api import running_api
from tests.support.csi_driver import NAME, State
from tests.support.waiting import until, until_raises

NODE, HANDLE = "node", "vol-pvc-1"
OURS = attachment_name(HANDLE, NAME, NODE)


@asynccontextmanager
async def running_attaching(process: DriverProcess) -> AsyncIterator[tuple[Client, Informer]]:
    """The API with both controllers, a node, and the driver registered as the engine's to control; what the
    controllers have seen of nodes."""
    drivers = Drivers()
    async with running_api() as api, client_of(process) as socket:
        context = make_context(api.server)
        room = StorageContext(
            context.config, context.clock, context.informers, context.recorder, context.identity, DrivenDrivers(drivers)
        )
        attaching = Attaching(room, drivers)
        await context.informers.start()
        facts = await ask(socket)
        driver = RemoteDriver(socket, facts, abilities(facts, engine_controls=True, attach=True))
        await driver.create(VolumeRequest("pvc-1", 1 << 20, Use(("ReadWriteOnce",))))
        attaching.start()
        try:
            await _equip(api.client)
            drivers.add(NAME, driver)
            yield api.client, context.informers.of(NODES)
        finally:
            await attaching.close()
            await context.informers.close()


async def _equip(client: Client) -> None:
    """A bound claim, and a pod that has it."""
    await client.create(NODES, {"metadata": {"name": NODE}})
    declared = {"metadata": {"name": NAME, "annotations": {CONTROLLER_ANNOTATION: "engine"}}, "spec": {}}
    await client.create(CSI_DRIVERS, declared)
    size, modes = {"storage": "1Mi"}, ["ReadWriteOnce"]
    claimed = {"namespace": "default", "name": "data"}
    source = {"driver": NAME, "volumeHandle": HANDLE}
    volume = {"capacity": size, "accessModes": modes, "csi": source, "claimRef": claimed}
    await client.create(PERSISTENT_VOLUMES, {"metadata": {"name": "pv-1"}, "spec": volume})
    claim = {"accessModes": modes, "resources": {"requests": size}, "volumeName": "pv-1", "storageClassName": ""}
    await client.create(PERSISTENT_VOLUME_CLAIMS, {"metadata": {"name": "data"}, "spec": claim}, "default")
    pod: Obj = {
        "containers": [{"name": "main", "image": "busybox:test"}],
        "nodeName": NODE,
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    }
    await client.create(PODS, {"metadata": {"name": "web"}, "spec": pod}, "default")


async def _refuses_what_is_not_its_drivers(client: Client) -> None:
    """An attachment that somebody made for a volume of another kind."""
    volume = {"capacity": {"storage": "1Mi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/tmp/none"}}
    await client.create(PERSISTENT_VOLUMES, {"metadata": {"name": "directory"}, "spec": volume})
    wrong = {"attacher": NAME, "nodeName": NODE, "source": {"persistentVolumeName": "directory"}}
    await client.create(VOLUME_ATTACHMENTS, {"metadata": {"name": "wrong"}, "spec": wrong})

    async def why() -> str:
        return str((await client.get(VOLUME_ATTACHMENTS, "wrong"))["status"]["attachError"]["message"])

    assert await until(why, "a refusal") == f"PersistentVolume directory is not one of {NAME}"


async def test_a_volume_is_attached_for_a_pod_and_detached_when_it_is_unmounted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skerry.engine.storage.csi.attaching.attacher._RETRY", 0.1)
    async with running_driver(folder) as process:
        process.state.mkdir(parents=True, exist_ok=True)
        process.misbehave(ControllerPublishVolume="INTERNAL")
        async with running_attaching(process) as (client, nodes):

            async def status() -> Obj:
                try:
                    return dict((await client.get(VOLUME_ATTACHMENTS, OURS)).get("status") or {})
                except NotFound:
                    return {}

            async def in_trouble() -> bool:
                return bool((await status()).get("attachError"))

            async def attached() -> bool:
                return bool((await status()).get("attached"))

            await until(in_trouble, "a failure that is told")
            assert (await status())["attachError"]["message"] == "as the test wants it"
            by_hand = {"attacher": NAME, "nodeName": "elsewhere", "source": {"persistentVolumeName": "pv-1"}}
            await client.create(VOLUME_ATTACHMENTS, {"metadata": {"name": "by-hand"}, "spec": by_hand})
            await _refuses_what_is_not_its_drivers(client)
            process.misbehave()
            await until(attached, "an attached volume")
            made = await client.get(VOLUME_ATTACHMENTS, OURS)
            assert made["status"] == {"attached": True, "attachmentMetadata": {"device": f"/dev/{HANDLE}"}}
            assert made["metadata"]["finalizers"] == [FINALIZER]

            in_use = {"status": {"volumesInUse": [f"kubernetes.io/csi/{NAME}^{HANDLE}"]}}
            await client.patch(NODES, NODE, in_use, subresource="status")
            await until(lambda: nodes.list()[0]["status"]["volumesInUse"], "the node's word")
            await client.delete(PODS, "web", "default", {"gracePeriodSeconds": 0})
            assert await attached()
            assert "ControllerUnpublishVolume" not in process.asked()
            await client.patch(NODES, NODE, {"status": {"volumesInUse": None}}, subresource="status")
            await until_raises(NotFound, lambda: client.get(VOLUME_ATTACHMENTS, OURS))
            assert State(process.state).read()["attached"] == {}
            assert (await client.get(VOLUME_ATTACHMENTS, "by-hand"))["spec"] == by_hand
