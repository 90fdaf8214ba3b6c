"""DaemonSets on a real API with several simulated nodes: where pods run, updates, what happens to nodes and pods."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from skerry.kube.objects import Obj, annotations_of, is_deleting, labels_of, name_of
from skerry.kube.resources import CONTROLLER_REVISIONS, DAEMON_SETS, NODES, PODS
from tests.component.controllers.deployments import set_image
from tests.component.controllers.sets import daemon_set, is_everywhere, pod_images, status
from tests.support.controllers import World, running_controllers
from tests.support.simulated_node import SimulatedNode


@asynccontextmanager
async def nodes(count: int, **metadata: Any) -> AsyncIterator[tuple[World, Sequence[SimulatedNode]]]:
    """A world with `count` nodes: node, node-1, node-2, ..."""
    async with running_controllers() as world:
        more = [SimulatedNode(world.client, world.context.informers, world.context.clock, f"node-{number}")
                for number in range(1, count)]  # fmt: skip
        for node in more:
            node.start()
            await node.register(**metadata)
        try:
            yield world, [world.node, *more]
        finally:
            for node in more:
                await node.close()


def by_node(world: World) -> dict[str, list[str]]:
    """Images by node, of the pods that stay."""
    found: dict[str, list[str]] = {}
    for pod in world.list(PODS):
        if not is_deleting(pod):
            image = pod["spec"]["containers"][0]["image"]
            found.setdefault(pod["spec"].get("nodeName", ""), []).append(image)
    return found


async def everywhere(world: World, count: int, **spec: Any) -> None:
    await world.client.create(DAEMON_SETS, daemon_set(**spec), "default")
    await world.until(lambda: is_everywhere(world, count))


async def test_one_pod_on_every_node() -> None:
    async with nodes(3) as (world, _):
        await everywhere(world, 3)
        assert by_node(world) == {name: ["app:1"] for name in ("node", "node-1", "node-2")}
        pod = world.list(PODS)[0]
        tolerated = {(one["key"], one.get("effect")) for one in pod["spec"]["tolerations"]}
        assert ("node.kubernetes.io/unschedulable", "NoSchedule") in tolerated
        assert ("node.kubernetes.io/not-ready", "NoExecute") in tolerated
        assert all("tolerationSeconds" not in one for one in pod["spec"]["tolerations"])
        (revision,) = world.list(CONTROLLER_REVISIONS)
        hashed = labels_of(revision)["controller-revision-hash"]
        assert labels_of(pod)["controller-revision-hash"] == hashed
        assert labels_of(pod)["pod-template-generation"] == "1"
        assert name_of(revision) == f"agent-{hashed}"
        await world.until(lambda: len(world.events("SuccessfulCreate")) == 3)


async def test_nodes_come_change_and_go() -> None:
    async with nodes(2) as (world, _):
        await world.client.create(DAEMON_SETS, daemon_set(pod={"nodeSelector": {"disk": "fast"}}), "default")
        await world.until(lambda: status(world, DAEMON_SETS, "agent").get("observedGeneration") == 1)
        assert by_node(world) == {}
        await world.client.patch(NODES, "node-1", {"metadata": {"labels": {"disk": "fast"}}})
        await world.until(lambda: by_node(world) == {"node-1": ["app:1"]} and is_everywhere(world, 1))
        late = SimulatedNode(world.client, world.context.informers, world.context.clock, "late")
        late.start()
        await late.register(labels={"disk": "fast"})
        await world.until(lambda: is_everywhere(world, 2))
        await world.client.patch(NODES, "node-1", {"metadata": {"labels": {"disk": "slow"}}})
        await world.until(lambda: by_node(world) == {"late": ["app:1"]} and is_everywhere(world, 1))
        await world.client.delete(NODES, "late")
        await world.until(lambda: status(world, DAEMON_SETS, "agent")["desiredNumberScheduled"] == 0)
        await late.close()


async def test_taints() -> None:
    async with nodes(2) as (world, _):
        taint = {"key": "team", "value": "a", "effect": "NoSchedule"}
        await world.client.patch(NODES, "node-1", {"spec": {"taints": [taint]}})
        await world.until(lambda: "taints" in world.get(NODES, "node-1")["spec"])
        await everywhere(world, 1)
        await world.client.patch(NODES, "node", {"spec": {"taints": [taint]}})
        await world.until(lambda: status(world, DAEMON_SETS, "agent")["numberMisscheduled"] == 1)
        assert by_node(world) == {"node": ["app:1"]}, "what runs may stay"
        await world.client.patch(NODES, "node", {"spec": {"taints": [{**taint, "effect": "NoExecute"}]}})
        await world.until(lambda: by_node(world) == {})
        assert status(world, DAEMON_SETS, "agent")["desiredNumberScheduled"] == 0
        tolerations = [{"key": "team", "operator": "Exists"}]
        spec = {"template": {"spec": {"tolerations": tolerations}}}
        await world.client.patch(DAEMON_SETS, "agent", {"spec": spec}, "default")
        await world.until(lambda: is_everywhere(world, 2))


async def test_a_cordoned_node_keeps_its_daemon() -> None:
    async with nodes(2) as (world, _):
        await world.client.patch(NODES, "node-1", {"spec": {"unschedulable": True}})
        await world.until(lambda: world.get(NODES, "node-1")["spec"].get("taints"))
        await everywhere(world, 2)


async def test_an_update_takes_one_node_at_a_time() -> None:
    async with nodes(3) as (world, _):
        await everywhere(world, 3)
        least = watch_available(world)
        await world.client.patch(DAEMON_SETS, "agent", set_image("app:2"), "default", kind="strategic")
        await world.until(lambda: is_everywhere(world, 3) and set(pod_images(world).values()) == {"app:2"})
        assert min(least) == 2
        assert annotations_of(world.get(DAEMON_SETS, "agent"))["deprecated.daemonset.template.generation"] == "2"
        assert sorted(one["revision"] for one in world.list(CONTROLLER_REVISIONS)) == [1, 2]


async def test_a_bad_update_stops_at_the_first_node_and_goes_back() -> None:
    async with nodes(3) as (world, simulated):
        await everywhere(world, 3)
        for node in simulated:
            node.becomes_ready = lambda pod: pod["spec"]["containers"][0]["image"] != "bad"
        await world.client.patch(DAEMON_SETS, "agent", set_image("bad"), "default", kind="strategic")
        await world.until(lambda: sorted(pod_images(world).values()) == ["app:1", "app:1", "bad"])
        await world.settle()
        assert sorted(pod_images(world).values()) == ["app:1", "app:1", "bad"]
        await world.client.patch(DAEMON_SETS, "agent", set_image("app:1"), "default", kind="strategic")
        await world.until(lambda: is_everywhere(world, 3) and set(pod_images(world).values()) == {"app:1"})


async def test_a_surging_update_never_lacks_a_pod() -> None:
    async with nodes(3) as (world, _):
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
        await everywhere(world, 3, updateStrategy=strategy)
        least = watch_available(world)
        await world.client.patch(DAEMON_SETS, "agent", set_image("app:2"), "default", kind="strategic")
        await world.until(lambda: is_everywhere(world, 3) and set(pod_images(world).values()) == {"app:2"})
        assert min(least) == 3


def watch_available(world: World) -> list[int]:
    """How many nodes have a ready pod that stays, at every change from now on."""
    seen: list[int] = []

    def is_ready(pod: Obj) -> bool:
        conditions = pod["status"].get("conditions") or ()
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    def count(_: object) -> None:
        pods = [pod for pod in world.list(PODS) if not is_deleting(pod) and is_ready(pod)]
        seen.append(len({pod["spec"].get("nodeName") for pod in pods}))

    world.context.informers.of(PODS).add_handler(count)
    del seen[:]
    return seen


async def test_on_delete() -> None:
    async with nodes(2) as (world, _):
        await everywhere(world, 2, updateStrategy={"type": "OnDelete"})
        await world.client.patch(DAEMON_SETS, "agent", set_image("app:2"), "default", kind="strategic")
        await world.until(lambda: status(world, DAEMON_SETS, "agent").get("updatedNumberScheduled", 0) == 0)
        victim = next(name_of(pod) for pod in world.list(PODS) if pod["spec"]["nodeName"] == "node-1")
        await world.client.delete(PODS, victim, "default")
        await world.until(lambda: by_node(world) == {"node": ["app:1"], "node-1": ["app:2"]})


@pytest.mark.parametrize(("phase", "reason"), [("Failed", "FailedDaemonPod"), ("Succeeded", "SucceededDaemonPod")])
async def test_a_pod_that_ended_is_replaced(phase: str, reason: str) -> None:
    async with running_controllers() as world:
        await everywhere(world, 1)
        (pod,) = world.list(PODS)
        uid = pod["metadata"]["uid"]
        await world.client.patch(PODS, name_of(pod), {"status": {"phase": phase}}, "default", subresource="status")
        await world.until(lambda: is_everywhere(world, 1) and world.list(PODS)[0]["metadata"]["uid"] != uid)
        await world.until(lambda: world.events(reason))
        verb = "kill" if phase == "Failed" else "delete"
        what = f"Found {phase.lower()} daemon pod default/{name_of(pod)} on node node, will try to {verb} it"
        assert world.events(reason) == [what]
