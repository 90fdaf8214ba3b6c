"""StatefulSets on a real API: order, identity, claims, scaling, updating, recovering."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from skerry.kube.objects import Obj, controller_of, is_deleting, labels_of, name_of
from skerry.kube.resources import CONTROLLER_REVISIONS, PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS
from tests.component.controllers.deployments import set_image
from tests.component.controllers.sets import (
    CLAIM,
    is_settled,
    pod_images,
    pod_names,
    stateful_set,
    status,
)
from tests.support.clock import SetClock
from tests.support.controllers import World, running_controllers


async def settled(world: World, replicas: int = 3, **spec: Any) -> None:
    await world.client.create(STATEFUL_SETS, stateful_set(replicas=replicas, **spec), "default")
    await world.until(lambda: is_settled(world, replicas))


async def patch(world: World, **spec: Any) -> None:
    await world.client.patch(STATEFUL_SETS, "web", {"spec": spec}, "default")


def history_of(world: World) -> list[tuple[str, str]]:
    """Every name that came (+) or went (-), in order, from now on."""
    seen: list[tuple[str, str]] = []

    def note(delta: Any) -> None:
        if delta.old is None:
            seen.append(("+", name_of(delta.new)))
        elif delta.new is not None and is_deleting(delta.new) and not is_deleting(delta.old):
            seen.append(("-", name_of(delta.new)))

    world.context.informers.of(PODS).add_handler(note)
    return seen


async def test_pods_come_in_order_with_an_identity() -> None:
    async with running_controllers() as world:
        seen = history_of(world)
        await settled(world)
        assert seen == [("+", "web-0"), ("+", "web-1"), ("+", "web-2")]
        pod = world.get(PODS, "web-1")
        assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("web-1", "web")
        labels = labels_of(pod)
        assert labels["statefulset.kubernetes.io/pod-name"] == "web-1"
        assert labels["apps.kubernetes.io/pod-index"] == "1"
        (revision,) = world.list(CONTROLLER_REVISIONS)
        assert labels["controller-revision-hash"] == name_of(revision)
        assert status(world, STATEFUL_SETS, "web")["collisionCount"] == 0
        await world.until(lambda: len(world.events("SuccessfulCreate")) == 3)
        await world.until(lambda: "create Pod web-0 in StatefulSet web successful" in world.events("SuccessfulCreate"))


async def test_a_pod_that_is_not_ready_holds_the_next_ones_up() -> None:
    async with running_controllers() as world:
        world.node.becomes_ready = lambda pod: name_of(pod) != "web-1"
        await world.client.create(STATEFUL_SETS, stateful_set(), "default")
        await world.until(lambda: status(world, STATEFUL_SETS, "web").get("replicas") == 2)
        await world.settle()
        assert pod_names(world) == ["web-0", "web-1"]
        await patch(world, replicas=0)
        await world.until(lambda: pod_names(world) == [])


async def test_parallel_sets_do_not_wait() -> None:
    async with running_controllers() as world:
        world.node.becomes_ready = lambda pod: False
        await world.client.create(STATEFUL_SETS, stateful_set(podManagementPolicy="Parallel"), "default")
        await world.until(lambda: pod_names(world) == ["web-0", "web-1", "web-2"])


async def test_scaling_down_takes_the_highest_first_and_one_at_a_time() -> None:
    async with running_controllers() as world:
        await settled(world)
        world.node.stops = lambda pod: False
        seen = history_of(world)
        await patch(world, replicas=1)
        await world.until(lambda: pod_names(world) == ["web-0", "web-1"])
        await world.settle()
        assert pod_names(world) == ["web-0", "web-1"]
        world.node.stops = lambda pod: True
        world.node.look_again()
        await world.until(lambda: is_settled(world, 1))
        assert [name for sign, name in seen if sign == "-"] == ["web-2", "web-1"]


async def test_ordinals_may_start_elsewhere() -> None:
    async with running_controllers() as world:
        await settled(world, 2, ordinals={"start": 5})
        assert pod_names(world) == ["web-5", "web-6"]
        await patch(world, ordinals={"start": 6})
        await world.until(lambda: is_settled(world, 2) and pod_names(world) == ["web-6", "web-7"])


async def test_an_update_rolls_from_the_top_one_by_one() -> None:
    async with running_controllers() as world:
        await settled(world)
        seen = history_of(world)
        seen.clear()
        await world.client.patch(STATEFUL_SETS, "web", set_image("app:2"), "default", kind="strategic")
        await world.until(lambda: is_settled(world, 3) and set(pod_images(world).values()) == {"app:2"})
        assert seen == [
            ("-", "web-2"), ("+", "web-2"), ("-", "web-1"), ("+", "web-1"), ("-", "web-0"), ("+", "web-0"),
        ]  # fmt: skip
        assert sorted(one["revision"] for one in world.list(CONTROLLER_REVISIONS)) == [1, 2]
        await world.client.patch(STATEFUL_SETS, "web", set_image("app:1"), "default", kind="strategic")
        await world.until(lambda: is_settled(world, 3) and set(pod_images(world).values()) == {"app:1"})
        assert sorted(one["revision"] for one in world.list(CONTROLLER_REVISIONS)) == [2, 3], "the old one is back"


async def test_a_partition_protects_what_is_below_it() -> None:
    async with running_controllers() as world:
        rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
        await settled(world, updateStrategy=rolling)
        await world.client.patch(STATEFUL_SETS, "web", set_image("app:2"), "default", kind="strategic")
        await world.until(lambda: pod_images(world).get("web-2") == "app:2")
        await world.until(lambda: status(world, STATEFUL_SETS, "web").get("updatedReplicas") == 1)
        shown = status(world, STATEFUL_SETS, "web")
        assert shown["currentRevision"] != shown["updateRevision"]
        assert shown["currentReplicas"] == 2
        uid = world.get(PODS, "web-0")["metadata"]["uid"]
        await world.client.delete(PODS, "web-0", "default")
        await world.until(lambda: (world.get(PODS, "web-0") or {"metadata": {"uid": uid}})["metadata"]["uid"] != uid)
        await world.until(lambda: status(world, STATEFUL_SETS, "web").get("readyReplicas") == 3)
        assert pod_images(world) == {"web-0": "app:1", "web-1": "app:1", "web-2": "app:2"}
        await patch(world, updateStrategy={"rollingUpdate": {"partition": 0}})
        await world.until(lambda: is_settled(world, 3) and set(pod_images(world).values()) == {"app:2"})


async def test_on_delete_updates_what_somebody_deletes() -> None:
    async with running_controllers() as world:
        await settled(world, updateStrategy={"type": "OnDelete"})
        await world.client.patch(STATEFUL_SETS, "web", set_image("app:2"), "default", kind="strategic")
        await world.until(lambda: len(world.list(CONTROLLER_REVISIONS)) == 2)
        await world.settle()
        assert set(pod_images(world).values()) == {"app:1"}
        await world.client.delete(PODS, "web-1", "default")
        await world.until(lambda: pod_images(world).get("web-1") == "app:2")


async def test_history_is_bounded() -> None:
    async with running_controllers() as world:
        await settled(world, 1, revisionHistoryLimit=1)
        for number in (2, 3, 4):
            image = f"app:{number}"
            await world.client.patch(STATEFUL_SETS, "web", set_image(image), "default", kind="strategic")
            await world.until(lambda wanted=image: is_settled(world, 1) and pod_images(world) == {"web-0": wanted})
        await world.until(lambda: sorted(one["revision"] for one in world.list(CONTROLLER_REVISIONS)) == [3, 4])


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
async def test_a_pod_that_ended_comes_again(phase: str) -> None:
    async with running_controllers() as world:
        await settled(world, 1)
        uid = world.get(PODS, "web-0")["metadata"]["uid"]
        world.node.becomes_ready = lambda pod: pod["metadata"]["uid"] != uid
        await world.client.patch(PODS, "web-0", {"status": {"phase": phase}}, "default", subresource="status")
        await world.until(lambda: is_settled(world, 1) and world.get(PODS, "web-0")["metadata"]["uid"] != uid)


async def test_a_pod_that_fails_again_and_again_is_not_replaced_as_fast_as_can_be() -> None:
    clock = SetClock()
    async with running_controllers(clock=clock) as world:
        seen = history_of(world)

        def fail(delta: Any) -> None:
            if delta.new is not None and delta.new["status"].get("phase") == "Running":
                status = {"status": {"phase": "Failed"}}
                tasks.append(
                    asyncio.create_task(world.client.patch(PODS, "web-0", status, "default", subresource="status"))
                )

        tasks: list[asyncio.Task[Obj]] = []
        world.context.informers.of(PODS).add_handler(fail)
        world.node.becomes_ready = lambda pod: False
        await world.client.create(STATEFUL_SETS, stateful_set(replicas=1), "default")
        await world.until(lambda: seen.count(("+", "web-0")) == 2)
        await world.settle()
        assert seen.count(("+", "web-0")) == 2, "the second failure waits a second"
        clock.advance(1)
        await world.until(lambda: seen.count(("+", "web-0")) == 3)
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_orphans_are_adopted_and_strangers_are_not() -> None:
    async with running_controllers() as world:
        await settled(world, 2)
        uids = {pod["metadata"]["uid"] for pod in world.list(PODS)}
        await world.client.delete(STATEFUL_SETS, "web", "default", {"propagationPolicy": "Orphan"})
        await world.until(lambda: world.get(STATEFUL_SETS, "web") is None)
        await world.until(lambda: not any(controller_of(pod) for pod in world.list(PODS)))
        spec = stateful_set()["spec"]["template"]["spec"]
        stranger = {"metadata": {"name": "other-0", "labels": {"app": "web"}}, "spec": spec}
        await world.client.create(PODS, stranger, "default")
        await world.client.create(STATEFUL_SETS, stateful_set(replicas=2), "default")
        await world.until(lambda: status(world, STATEFUL_SETS, "web").get("readyReplicas") == 2)
        assert uids < {pod["metadata"]["uid"] for pod in world.list(PODS)}
        assert controller_of(world.get(PODS, "other-0")) is None
        assert len(world.list(CONTROLLER_REVISIONS)) == 1, "the history is taken over with the pods"
        await world.client.patch(PODS, "web-1", {"metadata": {"labels": {"app": "free"}}}, "default")
        await world.until(lambda: controller_of(world.get(PODS, "web-1")) is None)


async def test_a_name_that_is_taken_is_waited_for() -> None:
    async with running_controllers() as world:
        blocker = {"metadata": {"name": "web-0"}, "spec": stateful_set()["spec"]["template"]["spec"]}
        await world.client.create(PODS, blocker, "default")
        await world.client.create(STATEFUL_SETS, stateful_set(replicas=1), "default")
        await world.settle()
        await world.client.delete(PODS, "web-0", "default")
        await world.until(lambda: is_settled(world, 1))


async def test_min_ready_seconds() -> None:
    clock = SetClock()
    async with running_controllers(clock=clock) as world:
        await world.client.create(STATEFUL_SETS, stateful_set(replicas=2, minReadySeconds=1), "default")
        for ready in (1, 2):
            await world.until(lambda ready=ready: status(world, STATEFUL_SETS, "web").get("readyReplicas") == ready)
            await world.settle()
            shown = status(world, STATEFUL_SETS, "web")
            assert (shown["replicas"], shown["availableReplicas"]) == (ready, ready - 1)
            clock.advance(1)
        await world.until(lambda: is_settled(world, 2))


def claim_owners(world: World) -> dict[str, list[tuple[str, str]]]:
    return {
        name_of(claim): [(one["kind"], one["name"]) for one in claim["metadata"].get("ownerReferences") or ()]
        for claim in world.list(PERSISTENT_VOLUME_CLAIMS)
    }


async def with_claims(world: World, replicas: int, **policy: str) -> None:
    """A parallel set with claims; its pods name their node, for nothing binds claims here."""
    template = stateful_set()["spec"]["template"]
    template["spec"]["nodeName"] = "node"
    spec: Obj = {"template": template, "podManagementPolicy": "Parallel", "volumeClaimTemplates": [CLAIM]}
    await settled(world, replicas, persistentVolumeClaimRetentionPolicy=policy, **spec)


async def test_claims_are_made_once_and_kept() -> None:
    async with running_controllers() as world:
        await with_claims(world, 2)
        assert claim_owners(world) == {"data-web-0": [], "data-web-1": []}
        claim = world.get(PERSISTENT_VOLUME_CLAIMS, "data-web-0")
        assert labels_of(claim) == {"tier": "fast", "app": "web"}
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}}
        assert volume in world.get(PODS, "web-0")["spec"]["volumes"]
        uids = {one["metadata"]["uid"] for one in world.list(PERSISTENT_VOLUME_CLAIMS)}
        await patch(world, replicas=0)
        await world.until(lambda: is_settled(world, 0))
        await patch(world, replicas=2)
        await world.until(lambda: is_settled(world, 2))
        assert uids == {one["metadata"]["uid"] for one in world.list(PERSISTENT_VOLUME_CLAIMS)}
        await world.client.delete(STATEFUL_SETS, "web", "default", {"propagationPolicy": "Foreground"})
        await world.until(lambda: not world.list(PODS))
        assert len(claim_owners(world)) == 2


async def test_claims_that_go_with_the_set() -> None:
    async with running_controllers() as world:
        await with_claims(world, 2, whenDeleted="Delete")
        await world.until(lambda: claim_owners(world)["data-web-1"] == [("StatefulSet", "web")])
        await patch(world, replicas=1)
        await world.until(lambda: is_settled(world, 1))
        assert len(claim_owners(world)) == 2
        await world.client.delete(STATEFUL_SETS, "web", "default")
        await world.until(lambda: not world.list(PERSISTENT_VOLUME_CLAIMS))


async def test_claims_that_go_when_scaled_down() -> None:
    async with running_controllers() as world:
        await with_claims(world, 2, whenScaled="Delete")
        assert claim_owners(world) == {"data-web-0": [], "data-web-1": []}
        await patch(world, replicas=1)
        await world.until(lambda: set(claim_owners(world)) == {"data-web-0"})
        await patch(world, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete", "whenScaled": "Retain"})
        await world.until(lambda: claim_owners(world) == {"data-web-0": [("StatefulSet", "web")]})
        await patch(world, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain", "whenScaled": "Retain"})
        await world.until(lambda: claim_owners(world) == {"data-web-0": []})
