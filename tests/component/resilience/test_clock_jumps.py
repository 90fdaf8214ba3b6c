"""Somebody sets the clock, by hours, forward or back, while everything runs: nothing healthy is lost, nothing waits.

What the API has written down stays in wall-clock time, as in Kubernetes; what is counted in memory must not notice.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from skerry.engine.controllers.event_expiry import EventExpiry
from skerry.engine.controllers.node_lifecycle.controller import NodeLifecycle
from skerry.engine.controllers.taint_eviction.controller import SETTLING
from skerry.kube.clock import parse_time
from skerry.kube.objects import Obj, Resource, name_of, uid_of
from skerry.kube.resources import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    EVENTS,
    JOBS,
    LEASES,
    NODES,
    PODS,
    SERVICE_ACCOUNTS,
)
from tests.component.controllers import jobs
from tests.component.controllers.deployments import deployment
from tests.support.clock import SetClock
from tests.support.controllers import World, running_controllers
from tests.support.waiting import until

HOUR = 3600.0
TOKEN_REVIEWS = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)
BOTH_WAYS = pytest.mark.parametrize("hours", [7, -7], ids=["forward", "back"])


def ready(world: World) -> bool:
    node = world.get(NODES, "node") or {}
    return {one["type"]: one["status"] for one in node["status"]["conditions"]}["Ready"] == "True"


async def renew_lease(world: World) -> None:
    spec = {"holderIdentity": "node", "leaseDurationSeconds": 40}
    await world.client.create(LEASES, {"metadata": {"name": "node"}, "spec": spec}, "kube-node-lease")
    await world.settle()


def look_at_node(world: World) -> None:
    (lifecycle,) = (one for one in world.controllers if isinstance(one, NodeLifecycle))
    lifecycle.queue.add("node")


def available(world: World, name: str, count: int) -> bool:
    status = (world.get(DEPLOYMENTS, name) or {}).get("status") or {}
    return bool(status.get("availableReplicas") == count == status.get("replicas"))


def identities(world: World) -> set[str]:
    return {uid_of(pod) for pod in world.list(PODS)}


@BOTH_WAYS
async def test_nodes_and_pods_stay_and_work_goes_on(hours: float) -> None:
    clock = SetClock()
    async with running_controllers(clock=clock) as world:
        await renew_lease(world)
        await world.client.create(DEPLOYMENTS, deployment("web", 3), "default")
        await world.until(lambda: available(world, "web", 3))
        before = identities(world)
        clock.jump(hours * HOUR)
        look_at_node(world)
        await world.settle()
        assert ready(world)
        assert identities(world) == before
        await world.client.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 5}}, "default")
        await world.until(lambda: available(world, "web", 5))
        assert before < identities(world)
        await world.client.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 1}}, "default")
        await world.until(lambda: available(world, "web", 1))
        clock.advance(60)
        look_at_node(world)
        await world.until(lambda: not ready(world))  # silence still counts


@BOTH_WAYS
async def test_versions_and_watches_go_on_and_creation_times_follow_the_clock(hours: float) -> None:
    clock = SetClock()
    async with running_controllers(clock=clock) as world:
        first = await world.client.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, "default")
        version = first["metadata"]["resourceVersion"]
        async with world.client.watch(CONFIG_MAPS, "default", resource_version=version) as events:
            clock.jump(hours * HOUR)
            second = await world.client.create(CONFIG_MAPS, {"metadata": {"name": "b"}}, "default")
            async for event in events:
                assert (event.type, name_of(event.object)) == ("ADDED", "b")
                break
        assert int(second["metadata"]["resourceVersion"]) > int(version)
        apart = parse_time(second["metadata"]["creationTimestamp"]) - parse_time(first["metadata"]["creationTimestamp"])
        assert apart == timedelta(hours=hours)


async def test_readiness_from_before_the_clock_was_set_back_is_long_enough() -> None:
    clock = SetClock()
    async with running_controllers(clock=clock) as world:
        made = deployment("web", 2, minReadySeconds=599)
        await world.client.create(DEPLOYMENTS, made, "default")
        await world.until(lambda: (world.get(DEPLOYMENTS, "web") or {})["status"].get("readyReplicas") == 2)
        assert not available(world, "web", 2)
        clock.jump(-7 * HOUR)
        await world.client.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 3}}, "default")
        await world.until(lambda: (world.get(DEPLOYMENTS, "web") or {})["status"].get("availableReplicas") == 2)


async def test_tolerated_time_on_a_tainted_node_does_not_jump() -> None:
    clock = SetClock()
    async with running_controllers(clock=clock) as world:
        clock.advance(SETTLING)
        await world.until(world.has_a_node)
        tolerated = {"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 3600}
        spec = {"containers": [{"name": "c", "image": "i"}], "tolerations": [tolerated]}
        await world.client.create(PODS, {"metadata": {"name": "p"}, "spec": spec}, "default")
        await world.until(lambda: (world.get(PODS, "p") or {})["status"].get("phase") == "Running")
        taint = {"key": "k", "effect": "NoExecute"}
        await world.client.patch(NODES, "node", {"spec": {"taints": [taint]}})
        await world.settle()
        for hours in (7, -20):
            clock.jump(hours * HOUR)
            await touch(world)
            assert "deletionTimestamp" not in (world.get(PODS, "p") or {})["metadata"]
        clock.advance(HOUR)
        await touch(world)
        await world.until(lambda: world.get(PODS, "p") is None)


async def touch(world: World) -> None:
    """Have the pod looked at."""
    for controller in world.controllers:
        if controller.name == "taint-eviction":
            controller.queue.add("default/p")
    await world.settle()


async def test_a_failed_job_is_not_held_up_for_hours() -> None:
    clock = SetClock()
    async with running_controllers(clock=clock) as world:
        world.node.ends = lambda pod: 1
        await jobs.create(world)
        await world.until(lambda: jobs.status(world).get("failed") == 1)
        clock.jump(-7 * HOUR)
        world.node.ends = lambda pod: 0
        await world.client.patch(JOBS, "work", {"metadata": {"labels": {"looked": "at"}}}, "default")
        await jobs.ended(world, "Complete")


async def test_events_are_recorded_and_expire_whatever_the_clock_says() -> None:
    clock = SetClock()
    async with running_controllers(clock=clock) as world:
        about: Obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default", "uid": "u"}}
        for number, hours in enumerate((0, 7, -14)):
            clock.jump(hours * HOUR)
            world.context.recorder.event(about, "Normal", "Seen", f"at {number}")
        await world.context.recorder.close()
        expiry = EventExpiry(world.context.acting_as("event-expiry"))
        await expiry.reconcile("events")
        await expiry.close()
        listed = await world.client.list(EVENTS, "default")
        assert [event["message"] for event in listed.items if event["reason"] == "Seen"] == ["at 0", "at 1", "at 2"]


async def test_new_tokens_are_good_at_once() -> None:
    clock = SetClock()
    async with running_controllers(clock=clock) as world:
        await until(lambda: world.client.get(SERVICE_ACCOUNTS, "default", "default"), "the account")
        for hours in (7, -14):
            clock.jump(hours * HOUR)
            asked = {"metadata": {"name": "default"}, "spec": {"expirationSeconds": 600}}
            made = await world.client.create(SERVICE_ACCOUNTS, asked, "default", "token")
            answer = await world.client.create(TOKEN_REVIEWS, {"spec": {"token": made["status"]["token"]}})
            assert answer["status"]["authenticated"]
