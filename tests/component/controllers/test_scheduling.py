"""The scheduler on a real API: binding, refusing with reasons, coming back when something changes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from skerry.kube.errors import Conflict, Invalid
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import NODES, PODS
from tests.support.controllers import World, running_controllers
from tests.support.simulated_node import SimulatedNode

NOBODY = "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
USELESS = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."


def pod(name: str, cpu: str = "", **spec: Any) -> Obj:
    """A pod of one container that asks for so much CPU."""
    container: Obj = {"name": "app", "image": "app:1"}
    if cpu:
        container["resources"] = {"requests": {"cpu": cpu}}
    body = {"terminationGracePeriodSeconds": 1, "containers": [container], **spec}
    return {"metadata": {"name": name, "namespace": "default", "labels": {"app": name}}, "spec": body}


def node_of(world: World, name: str) -> str:
    found = world.get(PODS, name)
    return found["spec"].get("nodeName", "") if found else ""


def why_pending(world: World, name: str) -> str:
    conditions = ((world.get(PODS, name) or {}).get("status") or {}).get("conditions") or ()
    refused = [one for one in conditions if one["type"] == "PodScheduled" and one["status"] == "False"]
    return refused[0]["message"] if refused else ""


async def test_a_pod_that_does_not_fit_says_so_and_is_bound_when_there_is_room() -> None:
    async with running_controllers() as world:
        for name in ("one", "two"):
            await world.client.create(PODS, pod(name, "5"), "default")
        await world.until(lambda: bool(node_of(world, "one")) and why_pending(world, "two"))
        assert why_pending(world, "two") == "0/1 nodes are available: 1 Insufficient cpu. " + NOBODY
        assert world.get(PODS, "two")["status"]["conditions"][0]["reason"] == "Unschedulable"
        await world.until(lambda: world.events("FailedScheduling") == [why_pending(world, "two")])
        await world.client.delete(PODS, "one", "default")
        await world.until(lambda: node_of(world, "two") == "node")
        await world.until(lambda: "Successfully assigned default/two to node" in world.events("Scheduled"))


async def test_fifty_pods_at_once_never_oversubscribe() -> None:
    async with running_controllers() as world:
        pods = [pod(f"p{number}", "1") for number in range(50)]
        await asyncio.gather(*(world.client.create(PODS, one, "default") for one in pods))
        await world.until(lambda: sum(bool(why_pending(world, name_of(one))) for one in pods) == 42)
        await world.until(lambda: sum(bool(node_of(world, name_of(one))) for one in pods) == 8)


async def test_pods_wait_for_a_node_to_come() -> None:
    async with running_controllers(register=False) as world:
        await world.client.create(PODS, pod("early"), "default")
        await world.until(lambda: why_pending(world, "early") == "no nodes available to schedule pods")
        await world.node.register()
        await world.until(lambda: node_of(world, "early") == "node")


async def test_cordon_and_taints_keep_pods_away_until_lifted() -> None:
    async with running_controllers() as world:
        await world.client.patch(NODES, "node", {"spec": {"unschedulable": True}})
        await world.until(lambda: world.get(NODES, "node")["spec"].get("taints"))
        await world.client.create(PODS, pod("one"), "default")
        await world.until(lambda: why_pending(world, "one"))
        assert why_pending(world, "one") == "0/1 nodes are available: 1 node(s) were unschedulable. " + USELESS
        await world.client.patch(NODES, "node", {"spec": {"unschedulable": False}})
        await world.until(lambda: node_of(world, "one") == "node")
        assert not world.get(NODES, "node")["spec"].get("taints")


async def test_gates_other_schedulers_and_changed_pods() -> None:
    async with running_controllers() as world:
        await world.client.create(PODS, pod("gated", schedulingGates=[{"name": "example.com/wait"}]), "default")
        await world.client.create(PODS, pod("foreign", schedulerName="other"), "default")
        await world.client.create(PODS, pod("picky", nodeSelector={"disk": "ssd"}), "default")
        await world.until(lambda: why_pending(world, "picky"))
        reason = "1 node(s) didn't match Pod's node affinity/selector"
        assert why_pending(world, "picky") == f"0/1 nodes are available: {reason}. {USELESS}"
        await world.settle()
        assert not node_of(world, "gated")
        assert not node_of(world, "foreign")
        await world.client.patch(PODS, "gated", {"spec": {"schedulingGates": None}}, "default")
        await world.client.patch(NODES, "node", {"metadata": {"labels": {"disk": "ssd"}}})
        await world.until(lambda: node_of(world, "gated") and node_of(world, "picky"))


async def test_anti_affinity_spreads_over_nodes_and_then_waits() -> None:
    async with running_controllers(register=False) as world:
        second = SimulatedNode(world.client, world.context.informers, world.context.clock, "second")
        for node in (world.node, second):
            await node.register(labels={"kubernetes.io/hostname": node.node})
        term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"group": "db"}}}
        affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
        for name in ("a", "b", "c"):
            one = pod(name, affinity=affinity)
            one["metadata"]["labels"] = {"group": "db"}
            await world.client.create(PODS, one, "default")
        await world.until(lambda: sorted(node_of(world, name) for name in "abc") == ["", "node", "second"])
        pending = next(name for name in "abc" if not node_of(world, name))
        reason = "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules. preemption: "
        await world.until(lambda: why_pending(world, pending).startswith(reason))


async def test_a_gated_pod_says_so_and_cannot_be_bound() -> None:
    async with running_controllers() as world:
        gates = [{"name": "example.com/a"}, {"name": "example.com/b"}]
        made = await world.client.create(PODS, pod("gated", schedulingGates=gates), "default")
        (condition,) = made["status"]["conditions"]
        assert (condition["type"], condition["status"], condition["reason"]) == (
            "PodScheduled",
            "False",
            "SchedulingGated",
        )
        assert condition["message"] == "Scheduling is blocked due to non-empty scheduling gates"
        binding = {"metadata": {"name": "gated"}, "target": {"kind": "Node", "name": "node"}}
        with pytest.raises(Conflict, match=r"pod gated has non-empty \.spec\.schedulingGates"):
            await world.client.create(PODS, binding, "default", "binding")
        with pytest.raises(Invalid, match="only deletion is allowed, but found new scheduling gates"):
            await world.client.patch(PODS, "gated", {"spec": {"schedulingGates": [{"name": "new/gate"}]}}, "default")
        narrower = {"spec": {"nodeSelector": {"kubernetes.io/os": "linux"}, "schedulingGates": gates[:1]}}
        await world.client.patch(PODS, "gated", narrower, "default")
        await world.client.patch(PODS, "gated", {"spec": {"schedulingGates": []}}, "default")
        await world.until(lambda: "node affinity/selector" in why_pending(world, "gated"))
        await world.client.patch(NODES, "node", {"metadata": {"labels": {"kubernetes.io/os": "linux"}}})
        await world.until(lambda: node_of(world, "gated") == "node")
