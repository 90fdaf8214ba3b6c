"""ReplicationControllers on a real API: they share the ReplicaSets' code, so this looks at what differs."""

from __future__ import annotations

import pytest

from skerry.kube.errors import forbidden
from skerry.kube.objects import Obj, Resource, controller_of
from skerry.kube.resources import PODS, REPLICATION_CONTROLLERS
from tests.component.controllers.sets import pod_names, replication_controller, status
from tests.support.controllers import World, running_controllers


def ready(world: World) -> int:
    return int(status(world, REPLICATION_CONTROLLERS, "rc").get("readyReplicas", 0))


async def test_scaling_and_status() -> None:
    async with running_controllers() as world:
        await world.client.create(REPLICATION_CONTROLLERS, replication_controller(), "default")
        await world.until(lambda: ready(world) == 3)
        assert status(world, REPLICATION_CONTROLLERS, "rc") == {
            "replicas": 3, "fullyLabeledReplicas": 3, "readyReplicas": 3, "availableReplicas": 3,
            "observedGeneration": 1,
        }  # fmt: skip
        scale = {"spec": {"replicas": 1}}
        await world.client.patch(REPLICATION_CONTROLLERS, "rc", scale, "default", subresource="scale")
        await world.until(lambda: ready(world) == 1 and len(world.list(PODS)) == 1)
        assert "terminatingReplicas" not in status(world, REPLICATION_CONTROLLERS, "rc")


async def test_adopts_and_releases() -> None:
    async with running_controllers() as world:
        spec = {"containers": [{"name": "a", "image": "a:1"}]}
        orphan = {"metadata": {"name": "orphan", "labels": {"name": "rc"}}, "spec": spec}
        await world.client.create(PODS, orphan, "default")
        made = replication_controller(replicas=1, selector={"name": "rc"})
        made["spec"]["template"]["metadata"]["labels"] = {"name": "rc"}
        await world.client.create(REPLICATION_CONTROLLERS, made, "default")
        await world.until(lambda: controller_of(world.get(PODS, "orphan")))
        await world.until(lambda: ready(world) == 1)
        assert pod_names(world) == ["orphan"]
        await world.client.patch(PODS, "orphan", {"metadata": {"labels": {"name": "free"}}}, "default")
        await world.until(lambda: controller_of(world.get(PODS, "orphan")) is None and len(pod_names(world)) == 2)


async def test_a_failure_is_a_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_controllers() as world:
        client = world.context.identity("replication-controller")
        create = client.create

        async def refuse(resource: Resource, obj: Obj, *rest: str) -> Obj:
            if resource == PODS and "binding" not in rest:
                raise forbidden("pods", "rc", "exceeded quota: small")
            return await create(resource, obj, *rest)

        monkeypatch.setattr(client, "create", refuse)
        await world.client.create(REPLICATION_CONTROLLERS, replication_controller(), "default")
        await world.until(lambda: status(world, REPLICATION_CONTROLLERS, "rc").get("conditions"))
        (condition,) = status(world, REPLICATION_CONTROLLERS, "rc")["conditions"]
        assert (condition["type"], condition["reason"]) == ("ReplicaFailure", "FailedCreate")
        await world.until(lambda: world.events("FailedCreate"))
        scale = {"spec": {"replicas": 0}}
        await world.client.patch(REPLICATION_CONTROLLERS, "rc", scale, "default", subresource="scale")
        await world.until(lambda: "conditions" not in status(world, REPLICATION_CONTROLLERS, "rc"))
