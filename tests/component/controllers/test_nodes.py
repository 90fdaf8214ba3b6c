"""Silent nodes, vanished nodes and the pods they leave, with a clock that the test sets."""

from __future__ import annotations

from skerry.engine.controllers.node_lifecycle.controller import NodeLifecycle
from skerry.engine.controllers.pod_gc import PodGarbageCollector
from skerry.kube.objects import Obj, is_deleting
from skerry.kube.resources import LEASES, NODES, PODS
from tests.support.clock import SetClock
from tests.support.controllers import World, running_controllers


def conditions(world: World) -> dict[str, str]:
    found = world.get(NODES, "node") or {}
    return {one["type"]: one["status"] for one in found["status"]["conditions"]}


def taints(world: World) -> set[tuple[str, str]]:
    return {(one["key"], one["effect"]) for one in (world.get(NODES, "node") or {})["spec"].get("taints") or ()}


async def renew(world: World, moment: str) -> None:
    name, namespace = "node", "kube-node-lease"
    spec = {"holderIdentity": "node", "leaseDurationSeconds": 40, "renewTime": moment}
    if world.get(LEASES, name, namespace) is None:
        await world.client.create(LEASES, {"metadata": {"name": name}, "spec": spec}, namespace)
    else:
        await world.client.patch(LEASES, name, {"spec": spec}, namespace)
    await world.until(lambda: (world.get(LEASES, name, namespace) or {}).get("spec", {}).get("renewTime") == moment)


def look_at_node(world: World, name: str = "node") -> None:
    """What the appointment would do; the clock of the test is not the event loop's."""
    (lifecycle,) = (one for one in world.controllers if isinstance(one, NodeLifecycle))
    lifecycle.queue.add(name)


async def test_a_silent_node_becomes_unknown_and_comes_back() -> None:
    clock = SetClock()
    async with running_controllers(clock=clock) as world:
        await world.until(lambda: world.get(NODES, "node") and not taints(world))
        await renew(world, "2026-01-01T00:00:00.000000Z")
        clock.advance(39)
        look_at_node(world)
        await world.settle()
        assert conditions(world)["Ready"] == "True"
        clock.advance(2)
        look_at_node(world)
        await world.until(lambda: conditions(world)["Ready"] == "Unknown")
        unreachable = "node.kubernetes.io/unreachable"
        await world.until(lambda: taints(world) == {(unreachable, "NoSchedule"), (unreachable, "NoExecute")})
        await renew(world, "2026-01-01T00:00:41.000000Z")
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        await world.client.patch(NODES, "node", {"status": {"conditions": [ready]}}, kind="merge", subresource="status")
        await world.until(lambda: conditions(world)["Ready"] == "True" and not taints(world))


async def test_pressure_and_foreign_taints() -> None:
    async with running_controllers() as world:
        foreign = {"key": "example.com/gpu", "effect": "NoSchedule"}
        await world.client.patch(NODES, "node", {"spec": {"taints": [foreign]}})
        pressure: Obj = {"type": "DiskPressure", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
        status = {"status": {"conditions": [pressure]}}
        await world.client.patch(NODES, "node", status, kind="strategic", subresource="status")
        expected = {("example.com/gpu", "NoSchedule"), ("node.kubernetes.io/disk-pressure", "NoSchedule")}
        await world.until(lambda: taints(world) == expected)


def pod(name: str) -> Obj:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "app", "image": "x"}]}}


async def test_pods_of_a_vanished_node_are_removed() -> None:
    async with running_controllers() as world:
        informers, context = world.context.informers, world.context
        collector = PodGarbageCollector(context.acting_as("pod-garbage-collector"), quarantine=0.05)
        collector.start()
        try:
            await world.client.create(PODS, pod("left-behind"), "default")
            await world.until(
                lambda: (world.get(PODS, "left-behind") or {}).get("status", {}).get("phase") == "Running"
            )
            world.node.stops = lambda _: False
            await world.client.delete(NODES, "node")
            await world.until(lambda: informers.of(NODES).get("node") is None)
            await world.until(lambda: world.get(PODS, "left-behind") is None)
        finally:
            await collector.close()


async def test_finished_pods_beyond_the_limit_go_oldest_first() -> None:
    async with running_controllers(register=False) as world:
        collector = PodGarbageCollector(world.context.acting_as("pod-garbage-collector"), most_finished=2)
        collector.start()
        try:
            for name in ("a", "b", "c", "d"):
                await world.client.create(PODS, pod(name), "default")
                await world.client.patch(
                    PODS, name, {"status": {"phase": "Succeeded"}}, "default", subresource="status"
                )
            await world.until(lambda: len(world.list(PODS)) == 2)
        finally:
            await collector.close()


async def test_an_unbound_pod_held_by_a_finalizer_goes_when_freed() -> None:
    async with running_controllers(register=False) as world:
        held = pod("held")
        held["metadata"]["finalizers"] = ["example.com/hold"]
        await world.client.create(PODS, held, "default")
        await world.client.delete(PODS, "held", "default")
        await world.until(lambda: is_deleting(world.get(PODS, "held") or {}))
        await world.client.patch(PODS, "held", {"metadata": {"finalizers": None}}, "default")
        await world.until(lambda: world.get(PODS, "held") is None)
