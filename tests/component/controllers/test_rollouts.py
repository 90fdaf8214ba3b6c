"""Deployments and ReplicaSets on a real API: scaling, rolling, recreating, undoing, pausing, failing."""

from __future__ import annotations

import pytest

from skerry.kube.errors import NotFound, forbidden
from skerry.kube.objects import Obj, Resource, is_deleting, labels_of, name_of
from skerry.kube.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from tests.component.controllers.deployments import (
    condition,
    deployment,
    images,
    is_rolled_out,
    replica_sets,
    set_image,
    sizes,
)
from tests.support.clock import SetClock
from tests.support.controllers import World, running_controllers


async def roll_out(world: World, replicas: int = 3, **spec: object) -> None:
    await world.client.create(DEPLOYMENTS, deployment(replicas=replicas, **spec), "default")
    await world.until(lambda: is_rolled_out(world, replicas))


async def test_a_deployment_is_rolled_out() -> None:
    async with running_controllers() as world:
        await roll_out(world)
        status = world.get(DEPLOYMENTS, "web")["status"]
        assert "unavailableReplicas" not in status
        assert world.get(DEPLOYMENTS, "web")["metadata"]["generation"] == 1, (
            "the revision is no change of what is wanted"
        )
        assert condition(world, "Available")["reason"] == "MinimumReplicasAvailable"
        (only,) = world.list(REPLICA_SETS)
        assert only["status"]["fullyLabeledReplicas"] == 3
        await world.until(lambda: world.events("ScalingReplicaSet"))
        assert world.events("ScalingReplicaSet") == [f"Scaled up replica set {name_of(only)} from 0 to 3"]
        await world.until(lambda: len(world.events("SuccessfulCreate")) == 3)
        await world.until(lambda: len(world.events("Scheduled")) == 3)


async def test_scaling_up_and_down() -> None:
    async with running_controllers() as world:
        await roll_out(world)
        for replicas in (10, 1, 0, 4):
            await world.client.patch(DEPLOYMENTS, "web", {"spec": {"replicas": replicas}}, "default")
            await world.until(lambda wanted=replicas: is_rolled_out(world, wanted))
        assert len(world.list(REPLICA_SETS)) == 1


async def test_a_rolling_update_never_has_too_few_or_too_many() -> None:
    async with running_controllers() as world:
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": "25%"}}
        await roll_out(world, 4, strategy=strategy)
        seen: list[tuple[int, int]] = []

        def count(_: object) -> None:
            pods = [pod for pod in world.list(PODS) if not is_deleting(pod)]
            ready = sum(one["type"] == "Ready" and one["status"] == "True"
                        for pod in pods for one in pod["status"].get("conditions") or ())  # fmt: skip
            seen.append((len(pods), ready))

        world.context.informers.of(PODS).add_handler(count)
        await world.client.patch(DEPLOYMENTS, "web", set_image("app:2"), "default", kind="strategic")
        await world.until(lambda: is_rolled_out(world, 4, image="app:2") and images(world) == {"app:2"})
        assert max(total for total, _ in seen) <= 5
        assert min(ready for _, ready in seen) >= 3
        assert sizes(world) == {"1": 0, "2": 4}


async def test_a_bad_update_stops_and_undo_brings_the_old_replica_set_back() -> None:
    async with running_controllers() as world:
        await roll_out(world, 4)
        first = name_of(world.list(REPLICA_SETS)[0])
        world.node.becomes_ready = lambda pod: pod["spec"]["containers"][0]["image"] != "bad"
        await world.client.patch(DEPLOYMENTS, "web", set_image("bad"), "default", kind="strategic")
        await world.until(lambda: sizes(world) == {"1": 3, "2": 2})
        await world.settle()
        assert sizes(world) == {"1": 3, "2": 2}
        await world.client.patch(DEPLOYMENTS, "web", set_image("app:1"), "default", kind="strategic")
        await world.until(lambda: is_rolled_out(world, 4) and images(world) == {"app:1"})
        assert name_of(replica_sets(world)["3"]) == first
        assert world.get(DEPLOYMENTS, "web")["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
        history = replica_sets(world)["3"]["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"]
        assert history == "1"


async def test_recreate_waits_until_the_old_pods_are_gone() -> None:
    async with running_controllers() as world:
        await roll_out(world, 3, strategy={"type": "Recreate"})
        world.node.stops = lambda pod: False
        await world.client.patch(DEPLOYMENTS, "web", set_image("app:2"), "default", kind="strategic")
        await world.until(lambda: all(is_deleting(pod) for pod in world.list(PODS)))
        await world.settle()
        assert len(world.list(PODS)) == 3
        assert len(world.list(REPLICA_SETS)) == 1
        world.node.stops = lambda pod: True
        world.node.look_again()
        await world.until(lambda: is_rolled_out(world, 3) and images(world) == {"app:2"})


async def test_a_paused_deployment_scales_but_does_not_roll() -> None:
    async with running_controllers() as world:
        await roll_out(world, 2)
        await world.client.patch(DEPLOYMENTS, "web", {"spec": {"paused": True}}, "default")
        await world.until(lambda: condition(world, "Progressing").get("reason") == "DeploymentPaused")
        await world.client.patch(DEPLOYMENTS, "web", set_image("app:2"), "default", kind="strategic")
        await world.client.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 5}}, "default")
        await world.until(lambda: len(world.list(PODS)) == 5)
        await world.settle()
        assert images(world) == {"app:1"}
        await world.client.patch(DEPLOYMENTS, "web", {"spec": {"paused": None}}, "default")
        await world.until(lambda: is_rolled_out(world, 5) and images(world) == {"app:2"})


async def test_scaling_in_the_middle_of_a_rollout_is_shared_out() -> None:
    async with running_controllers() as world:
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}
        await roll_out(world, 10, strategy=strategy)
        world.node.becomes_ready = lambda pod: pod["spec"]["containers"][0]["image"] == "app:1"
        await world.client.patch(DEPLOYMENTS, "web", set_image("app:2"), "default", kind="strategic")
        await world.until(lambda: sizes(world) == {"1": 8, "2": 5})
        await world.client.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 15}}, "default")
        await world.until(lambda: sizes(world) == {"1": 11, "2": 7})


async def test_the_progress_deadline() -> None:
    async with running_controllers() as world:
        world.node.becomes_ready = lambda pod: False
        await world.client.create(DEPLOYMENTS, deployment(progressDeadlineSeconds=1), "default")
        await world.until(lambda: condition(world, "Progressing").get("reason") == "ProgressDeadlineExceeded")
        assert condition(world, "Progressing")["status"] == "False"
        assert condition(world, "Available")["reason"] == "MinimumReplicasUnavailable"
        world.node.becomes_ready = lambda pod: True
        world.node.look_again()
        await world.until(lambda: is_rolled_out(world, 3))


async def test_min_ready_seconds_delay_availability() -> None:
    clock = SetClock()
    async with running_controllers(clock=clock) as world:
        await world.client.create(DEPLOYMENTS, deployment(minReadySeconds=1), "default")
        await world.until(lambda: (world.get(DEPLOYMENTS, "web") or {}).get("status", {}).get("readyReplicas") == 3)
        await world.settle()
        assert "availableReplicas" not in world.get(DEPLOYMENTS, "web")["status"]
        clock.advance(1)
        await world.until(lambda: is_rolled_out(world, 3))


async def test_history_beyond_its_limit_goes() -> None:
    async with running_controllers() as world:
        await roll_out(world, 1, revisionHistoryLimit=1)
        for number in (2, 3, 4):
            image = f"app:{number}"
            await world.client.patch(DEPLOYMENTS, "web", set_image(image), "default", kind="strategic")
            await world.until(lambda image=image: is_rolled_out(world, 1) and images(world) == {image})
        await world.until(lambda: sorted(sizes(world)) == ["3", "4"])


async def test_a_lost_pod_is_replaced_and_a_relabelled_one_let_go() -> None:
    async with running_controllers() as world:
        await roll_out(world, 2)
        lost, freed = (name_of(pod) for pod in world.list(PODS))
        await world.client.delete(PODS, lost, "default")
        await world.until(lambda: is_rolled_out(world, 2) and world.get(PODS, lost) is None)
        await world.client.patch(PODS, freed, {"metadata": {"labels": {"app": "other"}}}, "default")
        await world.until(lambda: len(world.list(PODS)) == 3)
        await world.until(lambda: not world.get(PODS, freed)["metadata"].get("ownerReferences"))
        await world.client.patch(PODS, freed, {"metadata": {"labels": {"app": "web"}}}, "default")
        await world.until(lambda: len(world.list(PODS)) == 2)


async def test_orphaned_pods_are_adopted() -> None:
    async with running_controllers() as world:
        await roll_out(world, 3)
        (old,) = world.list(REPLICA_SETS)
        await world.client.delete(DEPLOYMENTS, "web", "default", {"propagationPolicy": "Orphan"})
        await world.until(lambda: world.get(DEPLOYMENTS, "web") is None)
        await world.settle()
        assert len(world.list(PODS)) == 3
        await world.client.create(DEPLOYMENTS, deployment(), "default")
        await world.until(lambda: is_rolled_out(world, 3))
        assert [name_of(one) for one in world.list(REPLICA_SETS)] == [name_of(old)]


async def test_deleting_a_deployment_removes_everything() -> None:
    async with running_controllers() as world:
        await roll_out(world, 3)
        await world.client.delete(DEPLOYMENTS, "web", "default")
        await world.until(lambda: not world.list(REPLICA_SETS) and not world.list(PODS))


async def test_foreground_deletion_keeps_the_deployment_until_the_pods_are_gone() -> None:
    async with running_controllers() as world:
        await roll_out(world, 3)
        world.node.stops = lambda pod: False
        await world.client.delete(DEPLOYMENTS, "web", "default", {"propagationPolicy": "Foreground"})
        await world.until(lambda: all(is_deleting(pod) for pod in world.list(PODS)))
        await world.settle()
        assert world.get(DEPLOYMENTS, "web") is not None
        assert len(world.list(REPLICA_SETS)) == 1
        world.node.stops = lambda pod: True
        world.node.look_again()
        await world.until(lambda: world.get(DEPLOYMENTS, "web") is None)
        with pytest.raises(NotFound):
            await world.client.get(DEPLOYMENTS, "web", "default")


async def test_refused_pods_are_reported_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_controllers() as world:
        client = world.context.identity("replicaset-controller")
        create = client.create

        async def refuse(resource: Resource, obj: Obj, *rest: str) -> Obj:
            if resource == PODS and not rest[1:]:
                raise forbidden("pods", "web", "exceeded quota: small")
            return await create(resource, obj, *rest)

        monkeypatch.setattr(client, "create", refuse)
        await world.client.create(DEPLOYMENTS, deployment(), "default")
        await world.until(lambda: condition(world, "ReplicaFailure").get("status") == "True")
        assert "exceeded quota: small" in condition(world, "ReplicaFailure")["message"]
        await world.until(lambda: world.events("FailedCreate"))
        monkeypatch.undo()
        await world.until(lambda: is_rolled_out(world, 3) and not condition(world, "ReplicaFailure"))


async def test_two_hundred_replicas() -> None:
    async with running_controllers() as world:
        await world.client.create(DEPLOYMENTS, deployment(replicas=200), "default")
        await world.until(lambda: is_rolled_out(world, 200))
        names = {name_of(pod) for pod in world.list(PODS)}
        assert len(names) == 200
        assert all("pod-template-hash" in labels_of(pod) for pod in world.list(PODS))
        await world.client.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 0}}, "default")
        await world.until(lambda: is_rolled_out(world, 0))
