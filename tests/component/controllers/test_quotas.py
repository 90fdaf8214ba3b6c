"""The status of quotas follows what happens; claims and volumes outlive their use."""

from __future__ import annotations

from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, PODS, RESOURCE_QUOTAS
from tests.support.controllers import World, running_controllers


def used(world: World) -> dict[str, str]:
    quota = world.get(RESOURCE_QUOTAS, "q") or {}
    return dict((quota.get("status") or {}).get("used") or {})


def pod(name: str, **spec: object) -> Obj:
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "250m"}}}
    return {"metadata": {"name": name}, "spec": {"containers": [container], **spec}}


async def test_status_follows() -> None:
    async with running_controllers() as world:
        client = world.client
        config_maps = world.context.informers.metadata_of(CONFIG_MAPS)
        await world.until(lambda: config_maps.get("kube-root-ca.crt", "default"))
        hard = {"pods": "3", "cpu": "2", "count/configmaps": "9", "services": "2"}
        await client.create(RESOURCE_QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": hard}}, "default")
        await world.until(lambda: used(world).get("pods") == "0" and used(world)["services"] == "1")
        await client.create(PODS, pod("a", nodeSelector={"is": "nowhere"}), "default")
        await client.create(PODS, pod("b"), "default")
        await client.create(CONFIG_MAPS, {"metadata": {"name": "one"}}, "default")
        await world.until(lambda: used(world).get("cpu") == "500m" and used(world)["pods"] == "2")
        await world.until(lambda: used(world)["count/configmaps"] == "2")
        ended = {"status": {"phase": "Succeeded"}}
        await client.patch(PODS, "a", ended, "default", subresource="status")
        await world.until(lambda: used(world)["pods"] == "1")
        await client.delete(PODS, "b", "default", {"gracePeriodSeconds": 0})
        await world.until(lambda: used(world)["cpu"] == "0")
        await client.patch(RESOURCE_QUOTAS, "q", {"spec": {"hard": {"pods": "7"}}}, "default")
        await world.until(lambda: (world.get(RESOURCE_QUOTAS, "q") or {})["status"]["hard"]["pods"] == "7")


async def test_a_claim_goes_after_its_pod() -> None:
    async with running_controllers() as world:
        client = world.client
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        await client.create(PERSISTENT_VOLUME_CLAIMS, {"metadata": {"name": "c"}, "spec": spec}, "default")
        volume = {"name": "v", "persistentVolumeClaim": {"claimName": "c"}}
        await client.create(PODS, pod("a", volumes=[volume], nodeName="node"), "default")
        await world.until(lambda: (world.get(PODS, "a") or {}).get("status", {}).get("phase") == "Running")
        await client.delete(PERSISTENT_VOLUME_CLAIMS, "c", "default")
        await world.settle()
        assert (await client.get(PERSISTENT_VOLUME_CLAIMS, "c", "default"))["metadata"]["deletionTimestamp"]
        await client.delete(PODS, "a", "default", {"gracePeriodSeconds": 0})
        await world.until(lambda: world.get(PERSISTENT_VOLUME_CLAIMS, "c") is None)
