"""A volume that is attached is told of as in use before it is mounted: nobody detaches it under a pod."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.engine.storage.contract import Ability, Driver, Publishing, Staging
from skerry.engine.storage.csi.attaching.wanted import attachment
from skerry.engine.storage.mounting.pods import PodMounts
from skerry.engine.storage.registry import Drivers
from skerry.kube.client import Client
from skerry.kube.events import Recorder
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj
from skerry.kube.resources import NODES, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, VOLUME_ATTACHMENTS
from tests.support.api import running_api

NAME, HANDLE = "disks.test", "disk-1"


class Disks(Driver):
    """Notes what the Node says while a volume is staged."""

    name = NAME
    abilities = frozenset({Ability.STAGE, Ability.ATTACH})

    def __init__(self, client: Client, node: str) -> None:
        self._client, self._node = client, node
        self.told: Sequence[str] = ()

    async def stage(self, staging: Staging) -> None:
        self.told = (await self._client.get(NODES, self._node))["status"].get("volumesInUse") or ()

    async def publish(self, publishing: Publishing) -> None:
        publishing.target.mkdir()


async def _equip(client: Client, node: str) -> Obj:
    """An attached volume, and a pod that has it."""
    await client.create(NODES, {"metadata": {"name": node}})
    size, modes = {"storage": "1Mi"}, ["ReadWriteOnce"]
    spec = {"accessModes": modes, "resources": {"requests": size}, "volumeName": "pv-1", "storageClassName": ""}
    claim = await client.create(PERSISTENT_VOLUME_CLAIMS, {"metadata": {"name": "data"}, "spec": spec}, "default")
    bound = {"status": {"phase": "Bound", "capacity": size, "accessModes": modes}}
    await client.patch(PERSISTENT_VOLUME_CLAIMS, "data", bound, "default", subresource="status")
    claimed = {"namespace": "default", "name": "data", "uid": claim["metadata"]["uid"]}
    source = {"driver": NAME, "volumeHandle": HANDLE}
    volume = {"capacity": size, "accessModes": modes, "csi": source, "claimRef": claimed}
    made = await client.create(PERSISTENT_VOLUMES, {"metadata": {"name": "pv-1"}, "spec": volume})
    asked = attachment(made, node)
    await client.create(VOLUME_ATTACHMENTS, asked)
    answer = {"status": {"attached": True}}
    await client.patch(VOLUME_ATTACHMENTS, asked["metadata"]["name"], answer, subresource="status")
    mounts = [{"name": "data", "mountPath": "/data"}]
    pod: Obj = {
        "containers": [{"name": "main", "image": "busybox:test", "volumeMounts": mounts}],
        "nodeName": node,
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    }
    return await client.create(PODS, {"metadata": {"name": "web"}, "spec": pod}, "default")


async def test_the_node_says_so_before_the_driver_is_asked() -> None:
    async with running_api() as api:
        config = api.server.config
        pod = await _equip(api.client, config.node_name)
        disks, informers = Disks(api.client, config.node_name), Informers(api.client)
        recorder = Recorder(api.client, config.clock, "kubelet", config.node_name)
        mounts = PodMounts(config, api.client, informers, recorder, Drivers({NAME: disks}))
        await informers.start()
        try:
            await mounts.set_up(pod)
            assert disks.told == [f"kubernetes.io/csi/{NAME}^{HANDLE}"]
            assert mounts.in_use() == disks.told
        finally:
            await mounts.close()
            await informers.close()
            await recorder.close()
