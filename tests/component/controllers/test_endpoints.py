"""Endpoints and EndpointSlices on a real API: they follow pods within milliseconds, in few writes."""

from __future__ import annotations

import pytest

from skerry.engine.controllers.endpoints.slice_controller import EndpointSliceController
from skerry.kube.objects import Obj, is_deleting, labels_of, name_of
from skerry.kube.resources import DEPLOYMENTS, ENDPOINT_SLICES, ENDPOINTS, PODS, SERVICES
from tests.component.controllers.deployments import deployment, is_rolled_out
from tests.support.controllers import World, running_controllers

SERVICE: Obj = {
    "metadata": {"name": "web", "labels": {"team": "a"}},
    "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
}


def slices(world: World) -> list[Obj]:
    found = world.list(ENDPOINT_SLICES)
    return [one for one in found if labels_of(one).get("kubernetes.io/service-name") == "web"]


def ready_addresses(world: World) -> set[str]:
    return {
        endpoint["addresses"][0]
        for one in slices(world)
        for endpoint in one.get("endpoints") or ()
        if endpoint["conditions"]["ready"]
    }


def subset_addresses(world: World) -> set[str]:
    found = world.get(ENDPOINTS, "web") or {}
    return {address["ip"] for subset in found.get("subsets") or () for address in subset.get("addresses") or ()}


def pod_addresses(world: World) -> set[str]:
    return {pod["status"].get("podIP", "") for pod in world.list(PODS)}


async def test_endpoints_follow_pods() -> None:
    async with running_controllers() as world:
        await world.client.create(SERVICES, SERVICE, "default")
        await world.until(lambda: slices(world) and world.get(ENDPOINTS, "web"))
        assert not ready_addresses(world)
        await world.client.create(DEPLOYMENTS, deployment(), "default")
        await world.until(lambda: is_rolled_out(world, 3))
        await world.until(lambda: ready_addresses(world) == pod_addresses(world) == subset_addresses(world))
        (only,) = slices(world)
        assert only["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
        assert labels_of(only)["team"] == "a"
        assert {endpoint["nodeName"] for endpoint in only["endpoints"]} == {"node"}
        await world.client.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 1}}, "default")
        await world.until(lambda: is_rolled_out(world, 1))
        await world.until(lambda: ready_addresses(world) == pod_addresses(world) == subset_addresses(world))


async def test_terminating_pods_are_shown_as_such() -> None:
    async with running_controllers() as world:
        await world.client.create(SERVICES, SERVICE, "default")
        await world.client.create(DEPLOYMENTS, deployment(replicas=1), "default")
        await world.until(lambda: len(ready_addresses(world)) == 1)
        world.node.stops = lambda pod: False
        (leaving,) = world.list(PODS)
        await world.client.delete(PODS, name_of(leaving), "default")

        def is_shown() -> bool:
            shown = [e for one in slices(world) for e in one["endpoints"] if e["targetRef"]["name"] == name_of(leaving)]
            return bool(shown[0]["conditions"] == {"ready": False, "serving": True, "terminating": True})

        await world.until(is_shown)
        await world.until(lambda: len(world.list(PODS)) == 2 and len(ready_addresses(world)) == 1)
        assert is_deleting(world.get(PODS, name_of(leaving)))
        assert is_shown()


async def test_a_burst_is_batched_and_split_into_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        EndpointSliceController, "seconds_per_pod", 0.02
    )  # so that it is a burst on a slow machine as well
    async with running_controllers() as world:
        await world.client.create(SERVICES, SERVICE, "default")
        writes: list[object] = []
        world.context.informers.of(ENDPOINT_SLICES).add_handler(writes.append)
        await world.client.create(DEPLOYMENTS, deployment(replicas=150), "default")
        await world.until(lambda: is_rolled_out(world, 150))
        await world.until(lambda: len(ready_addresses(world)) == 150)
        assert sorted(len(one["endpoints"]) for one in slices(world)) == [50, 100]
        assert len(writes) < 75


async def test_endpoints_go_with_their_service_and_strangers_stay() -> None:
    async with running_controllers() as world:
        await world.client.create(SERVICES, SERVICE, "default")
        by_hand = {"metadata": {"name": "outside"}, "spec": {"ports": [{"port": 80}]}}
        await world.client.create(SERVICES, by_hand, "default")
        manual = {"metadata": {"name": "outside"}, "subsets": [{"addresses": [{"ip": "192.0.2.7"}]}]}
        await world.client.create(ENDPOINTS, manual, "default")
        await world.until(lambda: slices(world) and world.get(ENDPOINTS, "web"))
        await world.client.delete(SERVICES, "web", "default")
        await world.until(lambda: not slices(world) and world.get(ENDPOINTS, "web") is None)
        assert world.get(ENDPOINTS, "outside")["subsets"] == manual["subsets"]


async def test_a_slice_that_somebody_deletes_comes_back() -> None:
    async with running_controllers() as world:
        await world.client.create(SERVICES, SERVICE, "default")
        await world.client.create(DEPLOYMENTS, deployment(), "default")
        await world.until(lambda: len(ready_addresses(world)) == 3)
        await world.client.delete(ENDPOINT_SLICES, name_of(slices(world)[0]), "default")
        await world.client.delete(ENDPOINTS, "web", "default")
        await world.until(lambda: len(ready_addresses(world)) == 3 and len(subset_addresses(world)) == 3)


async def test_hand_written_endpoints_are_mirrored_and_unmirrored() -> None:
    async with running_controllers() as world:
        by_hand = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}
        await world.client.create(SERVICES, by_hand, "default")
        subset = {"addresses": [{"ip": "192.0.2.7"}], "ports": [{"port": 80}]}
        await world.client.create(ENDPOINTS, {"metadata": {"name": "web"}, "subsets": [subset]}, "default")
        await world.until(lambda: ready_addresses(world) == {"192.0.2.7"})
        subset["addresses"] = [{"ip": "192.0.2.8"}]
        await world.client.patch(ENDPOINTS, "web", {"subsets": [subset]}, "default")
        await world.until(lambda: ready_addresses(world) == {"192.0.2.8"} and len(slices(world)) == 1)
        await world.client.delete(ENDPOINTS, "web", "default")
        await world.until(lambda: not slices(world))
