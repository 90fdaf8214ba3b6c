"""Evictions against budgets: on the API, from many clients at once, and by `kubectl drain`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from skerry.kube.errors import InternalError, StatusError, TooManyRequests
from skerry.kube.objects import Obj, is_deleting, name_of
from skerry.kube.resources import DEPLOYMENTS, NODES, POD_DISRUPTION_BUDGETS, PODS
from tests.component.controllers.deployments import deployment, is_rolled_out
from tests.support.controllers import World, running_controllers
from tests.support.simulated_node import SimulatedNode
from tests.support.waiting import WITHIN


async def protect(world: World, allowed: int, **spec: Any) -> None:
    """A budget for the pods of `deployment()`; returns when it was counted and allows that many disruptions: before it
    is counted, it allows none."""
    wanted = {"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec}}
    await world.client.create(POD_DISRUPTION_BUDGETS, wanted, "default")
    await world.until(
        lambda: budget(world).get("observedGeneration") == 1 and budget(world)["disruptionsAllowed"] == allowed
    )


def budget(world: World) -> Obj:
    found: Obj = (world.get(POD_DISRUPTION_BUDGETS, "web") or {}).get("status") or {}
    return found


async def deploy(world: World, replicas: int = 3) -> list[str]:
    await world.client.create(DEPLOYMENTS, deployment(replicas=replicas), "default")
    await world.until(lambda: is_rolled_out(world, replicas))
    return [name_of(pod) for pod in world.list(PODS)]


async def evict(world: World, pod: str) -> StatusError | None:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": "default"}}
    try:
        await world.client.create(PODS, body, "default", "eviction")
    except StatusError as error:
        return error
    return None


async def test_a_budget_counts_and_holds_back() -> None:
    async with running_controllers() as world:
        first, second, _ = await deploy(world)
        await protect(world, 1, minAvailable=2)
        world.node.becomes_ready = lambda pod: name_of(pod) in (first, second)
        world.node.stops = lambda pod: False
        assert await evict(world, first) is None
        going = await world.client.get(PODS, first, "default")
        assert is_deleting(going)
        target = next(one for one in going["status"]["conditions"] if one["type"] == "DisruptionTarget")
        assert (target["status"], target["reason"]) == ("True", "EvictionByEvictionAPI")
        refused = await evict(world, second)
        assert isinstance(refused, TooManyRequests)
        assert refused.message == "Cannot evict pod as it would violate the pod's disruption budget."
        (cause,) = refused.details["causes"]
        assert cause["reason"] == "DisruptionBudget"
        assert cause["message"].startswith("The disruption budget web needs 2 healthy pods and has ")
        assert not is_deleting(await world.client.get(PODS, second, "default"))


async def test_evictions_at_once_take_no_more_than_allowed() -> None:
    async with running_controllers() as world:
        names = await deploy(world, 10)
        await protect(world, 3, maxUnavailable=3)
        world.node.stops = lambda pod: False
        world.node.becomes_ready = lambda pod: name_of(pod) in names
        answers = await asyncio.gather(*(evict(world, name) for name in names))
        assert sum(answer is None for answer in answers) == 3
        assert {type(answer) for answer in answers if answer is not None} == {TooManyRequests}


async def test_percentages_follow_the_size_of_the_owner() -> None:
    async with running_controllers() as world:
        await deploy(world, 4)
        await protect(world, 2, minAvailable="50%")
        await world.client.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 10}}, "default")
        await world.until(
            lambda: (budget(world).get("expectedPods"), budget(world).get("disruptionsAllowed")) == (10, 5)
        )


async def test_owners_without_a_size_are_named() -> None:
    async with running_controllers() as world:
        node = await world.client.get(NODES, "node")
        owner = {"apiVersion": "v1", "kind": "Node", "name": "node", "uid": node["metadata"]["uid"], "controller": True}
        metadata = {"name": "odd", "labels": {"app": "web"}, "ownerReferences": [owner]}
        pod = {"metadata": metadata, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        await world.client.create(PODS, pod, "default")
        wanted = {"selector": {"matchLabels": {"app": "web"}}, "maxUnavailable": 1}
        await world.client.create(POD_DISRUPTION_BUDGETS, {"metadata": {"name": "web"}, "spec": wanted}, "default")
        await world.until(lambda: world.events("CalculateExpectedPodCountFailed"))
        assert "scale subresource" in world.events("CalculateExpectedPodCountFailed")[0]
        await world.until(lambda: budget(world).get("conditions", [{}])[0].get("reason") == "SyncFailed")


@pytest.mark.parametrize(("policy", "goes"), [(None, False), ("AlwaysAllow", True)])
async def test_pods_that_are_not_healthy(policy: str | None, goes: bool) -> None:
    async with running_controllers() as world:
        names = await deploy(world)
        world.node.becomes_ready = lambda pod: False
        world.node.look_again()
        more = {"unhealthyPodEvictionPolicy": policy} if policy else {}
        await protect(world, 0, minAvailable=1, **more)
        await world.until(lambda: budget(world).get("currentHealthy") == 0)
        assert (await evict(world, names[0]) is None) is goes


async def test_two_budgets_for_one_pod() -> None:
    async with running_controllers() as world:
        names = await deploy(world)
        await protect(world, 2, minAvailable=1)
        second = {"metadata": {"name": "second"}, "spec": {"selector": {}, "minAvailable": 0}}
        await world.client.create(POD_DISRUPTION_BUDGETS, second, "default")
        refused = await evict(world, names[0])
        assert isinstance(refused, InternalError)
        assert "more than one PodDisruptionBudget" in refused.message


async def test_kubectl_drain_waits_for_the_budget() -> None:
    async with running_controllers() as world:
        await deploy(world)
        await protect(world, 1, maxUnavailable=1)
        other = SimulatedNode(world.client, world.context.informers, world.context.clock, "other")
        other.start()
        try:
            await other.register()
            fewest = 3

            def watch() -> bool:
                nonlocal fewest
                fewest = min(fewest, budget(world).get("currentHealthy", 3))
                return all(pod["spec"].get("nodeName") == "other" for pod in world.list(PODS))

            drain = asyncio.create_task(world.kubectl("drain", "node", WITHIN))
            await world.until(watch)
            assert "node/node drained" in await drain
            assert fewest >= 2
        finally:
            await other.close()


async def test_a_budget_has_its_counts_before_anybody_counted() -> None:
    async with running_controllers() as world:
        wanted = {"metadata": {"name": "web"}, "spec": {"maxUnavailable": 1}}
        made = await world.client.create(POD_DISRUPTION_BUDGETS, wanted, "default")
        assert set(made["status"].values()) == {0}
        assert set(made["status"]) == {"disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"}
