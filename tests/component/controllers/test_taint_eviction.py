"""NoExecute taints on real pods: at once, after a while, called off; `kubectl taint` and `kubectl drain`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from skerry.engine.controllers.taint_eviction.controller import TaintEviction
from skerry.kube.objects import Obj, is_deleting, name_of
from skerry.kube.resources import DEPLOYMENTS, NODES, PODS
from tests.component.controllers.deployments import deployment, is_rolled_out
from tests.component.controllers.test_nodes import look_at_node
from tests.component.controllers.test_scheduling import node_of, pod
from tests.support.clock import SetClock
from tests.support.controllers import World, running_controllers
from tests.support.simulated_node import SimulatedNode
from tests.support.waiting import WITHIN

TAINT = {"key": "evict", "value": "yes", "effect": "NoExecute"}


@asynccontextmanager
async def another_node(world: World, name: str = "second") -> AsyncIterator[SimulatedNode]:
    """Pods may go there from the beginning: a new one is tainted until it is seen to be ready."""
    node = SimulatedNode(world.client, world.context.informers, world.context.clock, name)
    await node.register()
    await world.until(lambda: world.may_have_pods(name))
    node.start()
    try:
        yield node
    finally:
        await node.close()


async def taint(world: World, *taints: Obj) -> None:
    await world.client.patch(NODES, "node", {"spec": {"taints": list(taints) or None}})


def tolerating(seconds: int | None = None) -> list[Obj]:
    toleration: Obj = {"key": "evict", "operator": "Equal", "value": "yes", "effect": "NoExecute"}
    return [toleration if seconds is None else {**toleration, "tolerationSeconds": seconds}]


async def run(world: World, name: str, **spec: Any) -> None:
    await world.client.create(PODS, pod(name, **spec), "default")
    await world.until(lambda: node_of(world, name))


async def test_pods_that_do_not_tolerate_go_at_once_and_are_told_why() -> None:
    async with running_controllers() as world:
        await run(world, "strict")
        await run(world, "tolerant", tolerations=tolerating())
        world.node.stops = lambda pod: False
        await taint(world, TAINT)
        await world.until(lambda: is_deleting(world.get(PODS, "strict") or {}))
        going = await world.client.get(PODS, "strict", "default")
        target = next(one for one in going["status"]["conditions"] if one["type"] == "DisruptionTarget")
        assert (target["status"], target["reason"]) == ("True", "DeletionByTaintManager")
        assert target["message"] == "Taint manager: deleting due to NoExecute taint"
        await world.until(lambda: world.events("TaintManagerEviction") == ["Marking for deletion Pod default/strict"])
        await world.settle()
        assert not is_deleting(world.get(PODS, "tolerant") or {})


async def test_time_runs_out_or_is_called_off() -> None:
    clock = SetClock()
    async with running_controllers(clock=clock) as world:
        (eviction,) = (one for one in world.controllers if isinstance(one, TaintEviction))
        await run(world, "brief", tolerations=tolerating(10))
        await run(world, "long", tolerations=tolerating(100))
        await taint(world, TAINT)
        await world.settle()
        clock.advance(11)
        for name in ("brief", "long"):
            eviction.queue.add(f"default/{name}")
        await world.until(lambda: world.get(PODS, "brief") is None)
        assert not is_deleting(world.get(PODS, "long") or {})
        await taint(world)
        await world.until(lambda: "Cancelling deletion of Pod default/long" in world.events("TaintManagerEviction"))
        clock.advance(200)
        eviction.queue.add("default/long")
        await world.settle()
        assert not is_deleting(world.get(PODS, "long") or {})


async def test_a_pod_that_comes_to_a_tainted_node_goes() -> None:
    async with running_controllers() as world:
        await taint(world, TAINT)
        await world.until(lambda: world.get(NODES, "node")["spec"].get("taints"))
        await world.client.create(PODS, pod("direct", nodeName="node"), "default")
        await world.until(lambda: world.get(PODS, "direct") is None and world.events("TaintManagerEviction"))


async def test_pods_of_a_silent_node_are_not_ready_and_leave_after_their_time() -> None:
    clock = SetClock()
    async with running_controllers(clock=clock, register=False) as world, another_node(world) as node:
        (eviction,) = (one for one in world.controllers if isinstance(one, TaintEviction))
        await run(world, "lost")
        await world.until(lambda: _ready(world, "lost") == "True")
        await node.close()  # nobody hears of it any more
        clock.advance(41)
        look_at_node(world, "second")
        await world.until(lambda: _ready(world, "lost") == "False")
        await world.until(lambda: "Node is not ready" in world.events("NodeNotReady"))
        await world.settle()
        assert not is_deleting(world.get(PODS, "lost") or {})
        clock.advance(301)
        eviction.queue.add("default/lost")
        await world.until(lambda: is_deleting(world.get(PODS, "lost") or {}))


def _ready(world: World, name: str) -> str:
    conditions = ((world.get(PODS, name) or {}).get("status") or {}).get("conditions") or ()
    return next((one["status"] for one in conditions if one["type"] == "Ready"), "")


async def test_kubectl_moves_a_deployment_between_nodes() -> None:
    async with running_controllers() as world, another_node(world):
        await world.client.create(DEPLOYMENTS, deployment(replicas=6), "default")
        await world.until(lambda: is_rolled_out(world, 6))
        assert {node_of(world, name_of(one)) for one in world.list(PODS)} == {"node", "second"}
        await world.kubectl("taint", "nodes", "node", "evict=yes:NoExecute")
        await world.until(lambda: is_rolled_out(world, 6) and _nodes(world) == {"second"})
        await world.kubectl("taint", "nodes", "node", "evict-")
        await world.kubectl("drain", "second", "--ignore-daemonsets", WITHIN)
        await world.until(lambda: is_rolled_out(world, 6) and _nodes(world) == {"node"})
        await world.kubectl("uncordon", "second")
        await world.kubectl("cordon", "node")
        await asyncio.gather(*(world.client.delete(PODS, name_of(one), "default") for one in world.list(PODS)))
        await world.until(lambda: is_rolled_out(world, 6) and _nodes(world) == {"second"})


def _nodes(world: World) -> set[str]:
    return {node_of(world, name_of(one)) for one in world.list(PODS)}
