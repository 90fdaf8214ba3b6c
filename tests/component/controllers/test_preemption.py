"""Important pods take the room of less important ones, and what is written about it."""

from __future__ import annotations

from typing import Any

from skerry.kube.objects import Obj, is_deleting, name_of, uid_of
from skerry.kube.resources import NODES, POD_DISRUPTION_BUDGETS, PODS, PRIORITY_CLASSES
from tests.component.controllers.test_scheduling import node_of, pod, why_pending
from tests.support.controllers import World, running_controllers
from tests.support.simulated_node import SimulatedNode


async def add_classes(world: World) -> None:
    for name, value in (("low", 1), ("medium", 100), ("high", 1000)):
        await world.client.create(PRIORITY_CLASSES, {"metadata": {"name": name}, "value": value})
    polite = {"metadata": {"name": "polite"}, "value": 1000, "preemptionPolicy": "Never"}
    await world.client.create(PRIORITY_CLASSES, polite)


async def create(world: World, name: str, cpu: str, priority: str, **spec: Any) -> None:
    await world.client.create(PODS, pod(name, cpu, priorityClassName=priority, **spec), "default")


async def bound(world: World, *names: str) -> None:
    await world.until(lambda: all(node_of(world, name) for name in names))


async def test_the_least_important_makes_room_and_is_told_why() -> None:
    async with running_controllers() as world:
        await add_classes(world)
        second = SimulatedNode(world.client, world.context.informers, world.context.clock, "second")
        await second.register()
        second.start()
        world.node.stops = second.stops = lambda pod: False
        try:
            await create(world, "a", "6", "low", nodeSelector={})
            await bound(world, "a")
            await create(world, "b", "6", "medium")
            await bound(world, "b")
            low_node = node_of(world, "a")
            await create(world, "c", "6", "high")
            await world.until(lambda: is_deleting(world.get(PODS, "a") or {}))
            await world.until(lambda: world.get(PODS, "c")["status"]["nominatedNodeName"] == low_node)
            waiting = await world.client.get(PODS, "c", "default")
            assert why_pending(world, "c") == "0/2 nodes are available: 2 Insufficient cpu."
            victim = await world.client.get(PODS, "a", "default")
            target = next(one for one in victim["status"]["conditions"] if one["type"] == "DisruptionTarget")
            assert (target["status"], target["reason"]) == ("True", "PreemptionByScheduler")
            assert target["message"] == "default-scheduler: preempting to accommodate a higher priority pod"
            assert any(one["type"] == "PodScheduled" for one in victim["status"]["conditions"])
            told = f"Preempted by pod {uid_of(waiting)} on node {low_node}"
            await world.until(lambda: world.events("Preempted") == [told])
            for node in (world.node, second):
                node.stops = lambda pod: True
                node.look_again()
            await world.until(lambda: node_of(world, "c") == low_node)
            assert not is_deleting(world.get(PODS, "b") or {})
            assert "nominatedNodeName" not in (await world.client.get(PODS, "c", "default"))["status"]
        finally:
            await second.close()


async def test_room_that_was_made_is_not_given_to_others() -> None:
    async with running_controllers() as world:
        await add_classes(world)
        world.node.stops = lambda pod: False
        for name in ("a", "b"):
            await create(world, name, "4", "low")
        await bound(world, "a", "b")
        await create(world, "big", "8", "high")
        await world.until(lambda: all(is_deleting(world.get(PODS, name) or {}) for name in "ab"))
        await create(world, "sneaky", "1", "medium")
        await world.until(lambda: why_pending(world, "sneaky"))
        world.node.stops = lambda pod: name_of(pod) == "a"
        world.node.look_again()
        await world.until(lambda: world.get(PODS, "a") is None)
        await world.settle()
        assert not node_of(world, "sneaky")
        message = "preemption: not eligible due to a terminating pod on the nominated node."
        assert why_pending(world, "big") == f"0/1 nodes are available: 1 Insufficient cpu. {message}"
        world.node.stops = lambda pod: True
        world.node.look_again()
        await bound(world, "big")
        assert not node_of(world, "sneaky")


async def test_never_and_nothing_to_gain() -> None:
    async with running_controllers() as world:
        await add_classes(world)
        await create(world, "a", "8", "medium")
        await bound(world, "a")
        await create(world, "polite", "4", "polite")
        await world.until(lambda: why_pending(world, "polite"))
        never = "preemption: not eligible due to preemptionPolicy=Never."
        assert why_pending(world, "polite") == f"0/1 nodes are available: 1 Insufficient cpu. {never}"
        await create(world, "equal", "4", "medium")
        await world.until(lambda: why_pending(world, "equal"))
        assert "1 No preemption victims found for incoming pod." in why_pending(world, "equal")
        await create(world, "huge", "9", "high")
        await world.until(lambda: why_pending(world, "huge"))
        assert "1 Preemption is not helpful for scheduling." in why_pending(world, "huge")
        assert not is_deleting(world.get(PODS, "a") or {})


async def test_budgets_are_kept_where_possible() -> None:
    async with running_controllers() as world:
        await add_classes(world)
        for name in ("a", "b"):
            await create(world, name, "4", "low")
        await bound(world, "a", "b")
        budget = {"metadata": {"name": "a"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}}}
        await world.client.create(POD_DISRUPTION_BUDGETS, budget, "default")
        await world.until(
            lambda: (world.get(POD_DISRUPTION_BUDGETS, "a") or {}).get("status", {}).get("observedGeneration") == 1
        )
        await create(world, "c", "4", "high")
        await bound(world, "c")
        assert world.get(PODS, "b") is None
        assert not is_deleting(world.get(PODS, "a") or {})


async def test_extended_resources_are_preempted_too() -> None:
    async with running_controllers(register=False) as world:
        await add_classes(world)
        await world.node.register({"nvidia.com/gpu": "2"})
        asks: Obj = {"resources": {"limits": {"nvidia.com/gpu": "2"}}, "name": "app", "image": "app:1"}
        await create(world, "low", "", "low", containers=[asks])
        await bound(world, "low")
        await create(world, "high", "", "high", containers=[asks])
        await bound(world, "high")
        assert world.get(PODS, "low") is None


async def test_spread_makes_one_more_go_than_room_needs() -> None:
    """As Kubernetes' conformance test "PodTopologySpread Preemption"."""
    async with running_controllers(register=False) as world:
        await add_classes(world)
        second = SimulatedNode(world.client, world.context.informers, world.context.clock, "second")
        for node in (world.node, second):
            await node.register({"cpu": "10"}, labels={"zone": node.node})
        second.start()
        try:
            await _fill(world)
            rule = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
            rule["labelSelector"] = {"matchExpressions": [{"key": "group", "operator": "Exists"}]}
            medium = pod("medium", "3", priorityClassName="medium", topologySpreadConstraints=[rule])
            medium["metadata"]["labels"] = {"group": "x"}
            await world.client.create(PODS, medium, "default")
            await bound(world, "medium")
            await world.until(lambda: len(world.list(PODS)) == 3)
            assert {name_of(one).split("-")[0] for one in world.list(PODS)} == {"high", "medium", "low"}
        finally:
            await second.close()


async def _fill(world: World) -> None:
    for name, cpu, priority in (
        ("high", "9", "high"),
        ("low-1", "3", "low"),
        ("low-2", "3", "low"),
        ("low-3", "3", "low"),
    ):
        one = pod(name, cpu, priorityClassName=priority)
        one["metadata"]["labels"] = {"group": "x"}
        await world.client.create(PODS, one, "default")
        await bound(world, name)


async def test_an_important_pod_is_placed_before_those_that_came_first() -> None:
    async with running_controllers() as world:
        await add_classes(world)
        await world.client.patch(NODES, "node", {"spec": {"unschedulable": True}})
        await world.until(lambda: world.get(NODES, "node")["spec"].get("unschedulable"))
        for name, priority in (("a", "low"), ("b", "low"), ("c", "high")):
            await create(world, name, "8", priority)
            await world.until(lambda name=name: why_pending(world, name))
        await world.settle()  # nobody is looked at any more, so that all are when the node may be had
        await world.client.patch(NODES, "node", {"spec": {"unschedulable": None}})
        await bound(world, "c")
        await world.settle()
        assert not node_of(world, "a")
        assert not node_of(world, "b")
        assert not world.events("Preempted")


async def test_of_equal_pods_the_one_that_room_is_kept_for_gets_it() -> None:
    async with running_controllers() as world:
        await add_classes(world)
        await create(world, "guard", "4", "high")
        await create(world, "a", "4", "low")
        await bound(world, "guard", "a")
        world.node.stops = lambda pod: False
        await create(world, "first", "4", "medium")
        await world.until(lambda: is_deleting(world.get(PODS, "a") or {}))
        for name in ("second", "third"):
            one = pod(name, "4", priorityClassName="medium")
            one["metadata"]["labels"] = {"app": "first"}
            await world.client.create(PODS, one, "default")
            await world.until(lambda name=name: why_pending(world, name))
        world.node.stops = lambda pod: True
        world.node.look_again()
        await bound(world, "first")
        await world.client.delete(PODS, "first", "default")
        await world.until(lambda: node_of(world, "second") or node_of(world, "third"))
        await world.settle()
        assert not (node_of(world, "second") and node_of(world, "third"))
