"""Pods with claims: where they go, what is written for them, and when they are tried again."""

from __future__ import annotations

import asyncio
import time

from skerry.kube.objects import Obj, annotations_of
from skerry.kube.resources import NODES, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, STORAGE_CLASSES
from skerry.kube.volumes import SELECTED_NODE
from tests.component.controllers.test_scheduling import node_of, why_pending
from tests.component.controllers.test_volumes import claim, of_claim, phase, pod, running_with_volumes, volume
from tests.support.controllers import World, running_controllers
from tests.support.simulated_node import SimulatedNode

CLAIMS, VOLUMES = PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES
LATE = {"metadata": {"name": "late"}, "volumeBindingMode": "WaitForFirstConsumer"}
USELESS = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."


def on(node: str) -> Obj:
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    return {"required": {"nodeSelectorTerms": [term]}}


def selected(world: World, name: str) -> str:
    return annotations_of(world.get(CLAIMS, name) or {}).get(SELECTED_NODE, "")


async def test_pods_wait_for_their_claims_and_say_so() -> None:
    async with running_controllers() as world:
        await world.client.create(PODS, pod("web", of_claim("data")), "default")
        missing = f'0/1 nodes are available: persistentvolumeclaim "data" not found. {USELESS}'
        await world.until(lambda: why_pending(world, "web") == missing)
        await world.client.create(CLAIMS, claim("data"), "default")
        unbound = f"0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. {USELESS}"
        await world.until(lambda: why_pending(world, "web") == unbound)
        await world.client.create(VOLUMES, volume("far", nodeAffinity=on("elsewhere")))
        await world.until(
            lambda: "1 node(s) didn't match PersistentVolume's node affinity" in why_pending(world, "web")
        )
        await world.client.create(CLAIMS, claim("near"), "default")
        await world.client.create(VOLUMES, volume("here", nodeAffinity=on("node")))
        await world.client.create(PODS, pod("db", of_claim("near")), "default")
        await world.until(lambda: node_of(world, "db") == "node")
        assert not node_of(world, "web")


async def test_a_claim_that_waits_gets_the_volume_of_its_pods_node() -> None:
    async with running_controllers() as world:
        second = SimulatedNode(world.client, world.context.informers, world.context.clock, "second")
        await second.register()
        await world.until(lambda: not world.get(NODES, "second")["spec"].get("taints"))
        await world.client.create(STORAGE_CLASSES, {**LATE, "provisioner": "kubernetes.io/no-provisioner"})
        await world.client.create(CLAIMS, claim("data", storageClassName="late"), "default")
        await world.client.create(PODS, pod("web", of_claim("data")), "default")
        nothing = "2 node(s) didn't find available persistent volumes to bind"
        await world.until(lambda: nothing in why_pending(world, "web"))
        await world.until(lambda: world.events("WaitForFirstConsumer") or world.events("WaitForPodScheduled"))
        for name in ("one", "two"):
            local = {"storageClassName": "late", "nodeAffinity": on("second")}
            await world.client.create(VOLUMES, volume(name, **local))
        await world.until(lambda: node_of(world, "web") == "second")
        await world.until(lambda: phase(world, CLAIMS, "data") == "Bound")
        bound = await world.client.get(CLAIMS, "data", "default")
        assert not selected(world, "data")
        other = {"one": "two", "two": "one"}[bound["spec"]["volumeName"]]
        await world.settle()
        assert phase(world, VOLUMES, other) == "Available"


async def test_a_volume_that_cannot_be_made_sends_its_pod_back() -> None:
    async with running_controllers() as world:
        await world.client.create(STORAGE_CLASSES, {**LATE, "provisioner": "example.com/disks"})
        await world.client.create(CLAIMS, claim("data", storageClassName="late"), "default")
        await world.client.create(PODS, pod("gone", of_claim("data")), "default")
        await world.until(lambda: selected(world, "data") == "node")
        await world.client.delete(PODS, "gone", "default")
        await world.until(lambda: world.get(PODS, "gone") is None)
        await world.client.patch(CLAIMS, "data", {"metadata": {"annotations": {SELECTED_NODE: None}}}, "default")
        await world.until(lambda: not selected(world, "data"))
        for name in ("web", "twin"):
            await world.client.create(PODS, pod(name, of_claim("data")), "default")
        await world.until(lambda: selected(world, "data") == "node")
        await world.settle()
        assert not node_of(world, "web")
        await world.client.patch(NODES, "node", {"spec": {"unschedulable": True}})
        await world.until(lambda: world.get(NODES, "node")["spec"].get("taints"))
        await world.client.patch(CLAIMS, "data", {"metadata": {"annotations": {SELECTED_NODE: None}}}, "default")
        for name in ("web", "twin"):
            await world.until(lambda name=name: "were unschedulable" in why_pending(world, name))
        await world.client.patch(NODES, "node", {"spec": {"unschedulable": False}})
        await world.until(lambda: selected(world, "data") == "node")
        claimed = await world.client.get(CLAIMS, "data", "default")
        reference = {"namespace": "default", "name": "data", "uid": claimed["metadata"]["uid"]}
        await world.client.create(VOLUMES, volume("made", storageClassName="late", claimRef=reference))
        for name in ("web", "twin"):
            await world.until(lambda name=name: node_of(world, name) == "node")


async def test_fifty_pods_with_claims_that_wait_run_in_seconds() -> None:
    async with running_with_volumes() as world:
        started = time.monotonic()
        for number in range(50):
            await world.client.create(CLAIMS, claim(f"c{number}", storageClassName="standard"), "default")
        pods = [pod(f"p{number}", of_claim(f"c{number}")) for number in range(50)]
        await asyncio.gather(*(world.client.create(PODS, one, "default") for one in pods))
        await world.until(lambda: all(phase(world, PODS, f"p{number}") == "Running" for number in range(50)))
        print(f"50 pods with claims run in {time.monotonic() - started:.2f} s")
