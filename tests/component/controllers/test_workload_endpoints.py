"""What Kubernetes' conformance tests ask of every workload kind: its status by PUT and PATCH next to a controller that
writes it too, the scale, patches of all types, deletion with dependents."""

from __future__ import annotations

import pytest

from skerry.kube.client import Selection
from skerry.kube.objects import Obj, Resource, copy_of
from skerry.kube.resources import (
    CONTROLLER_REVISIONS,
    DAEMON_SETS,
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    STATEFUL_SETS,
)
from tests.component.controllers.deployments import deployment
from tests.component.controllers.sets import daemon_set, replication_controller, stateful_set
from tests.support.controllers import World, running_controllers

NAME = "it"
MADE: dict[Resource, Obj] = {
    DEPLOYMENTS: deployment(NAME, replicas=2),
    REPLICA_SETS: deployment(NAME, replicas=2),
    STATEFUL_SETS: stateful_set(NAME, replicas=2),
    DAEMON_SETS: daemon_set(NAME),
    REPLICATION_CONTROLLERS: replication_controller(NAME, replicas=2),
}
for field in ("progressDeadlineSeconds", "strategy"):
    MADE[REPLICA_SETS] = copy_of(MADE[REPLICA_SETS])
    MADE[REPLICA_SETS]["spec"].pop(field, None)
SCALED = [resource for resource in MADE if resource != DAEMON_SETS]


def ready(world: World, resource: Resource) -> int:
    status = (world.get(resource, NAME) or {}).get("status") or {}
    return int(status.get("readyReplicas") or status.get("numberReady") or 0)


async def start(world: World, resource: Resource, labels: dict[str, str] | None = None) -> None:
    made = copy_of(MADE[resource])
    made["metadata"]["labels"] = labels or {}
    await world.client.create(resource, made, "default")
    await world.until(lambda: ready(world, resource) == (1 if resource == DAEMON_SETS else 2))
    await world.settle()


def conditions(world: World, resource: Resource) -> dict[str, Obj]:
    status = (world.get(resource, NAME) or {}).get("status") or {}
    return {one["type"]: one for one in status.get("conditions") or ()}


@pytest.mark.parametrize("resource", MADE, ids=lambda one: str(one.plural))
async def test_status_written_by_others_stays(resource: Resource) -> None:
    async with running_controllers() as world:
        await start(world, resource)
        found = await world.client.get(resource, NAME, "default", "status")
        mine = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from a test"}
        shown = {**found["status"], "conditions": [*(found["status"].get("conditions") or ()), mine]}
        await world.client.update(resource, {**found, "status": shown}, "status")
        await world.until(lambda: "StatusUpdate" in conditions(world, resource))
        patch = {
            "metadata": {"annotations": {"patched": "yes"}},
            "status": {"conditions": [{**mine, "type": "Patched"}]},
        }
        await world.client.patch(resource, NAME, patch, "default", subresource="status")
        await world.until(lambda: "Patched" in conditions(world, resource))
        await world.settle()
        assert "Patched" in conditions(world, resource)
        assert (world.get(resource, NAME) or {})["metadata"]["annotations"]["patched"] == "yes"


@pytest.mark.parametrize("resource", MADE, ids=lambda one: str(one.plural))
async def test_counts_that_are_wrong_are_put_right(resource: Resource) -> None:
    async with running_controllers() as world:
        await start(world, resource)
        wrong = {"numberReady": 0} if resource == DAEMON_SETS else {"readyReplicas": 0, "availableReplicas": 0}
        before = ready(world, resource)
        seen: list[int] = []
        world.context.informers.of(resource).add_handler(lambda _: seen.append(ready(world, resource)))
        await world.client.patch(resource, NAME, {"status": wrong}, "default", kind="strategic", subresource="status")
        await world.until(lambda: 0 in seen and ready(world, resource) == before)


@pytest.mark.parametrize("resource", SCALED, ids=lambda one: str(one.plural))
async def test_scale(resource: Resource) -> None:
    async with running_controllers() as world:
        await start(world, resource)
        scale = await world.client.get(resource, NAME, "default", "scale")
        assert (scale["kind"], scale["spec"]["replicas"], scale["status"]["replicas"]) == ("Scale", 2, 2)
        assert scale["status"]["selector"] == f"app={NAME}"
        await world.client.update(resource, {**scale, "spec": {"replicas": 1}}, "scale")
        await world.until(lambda: ready(world, resource) == 1 and len(world.list(PODS)) == 1)
        patch = {"spec": {"replicas": 3}}
        await world.client.patch(resource, NAME, patch, "default", kind="strategic", subresource="scale")
        await world.until(lambda: ready(world, resource) == 3)


@pytest.mark.parametrize("resource", MADE, ids=lambda one: str(one.plural))
async def test_patch_list_and_delete_what_was_made(resource: Resource) -> None:
    async with running_controllers() as world:
        await start(world, resource, {"test": "static"})
        spec = {"template": {"spec": {"terminationGracePeriodSeconds": 0}}}
        patch = {"metadata": {"labels": {"patched": "yes"}}, "spec": spec}
        patched = await world.client.patch(resource, NAME, patch, "default", kind="strategic")
        assert patched["spec"]["template"]["spec"]["containers"], "a patch leaves the rest"
        assert patched["metadata"]["labels"]["test"] == "static"
        found = await world.client.list(resource, None, Selection("patched=yes"))
        assert [one["metadata"]["name"] for one in found.items] == [NAME]
        await world.client.delete(resource, NAME, "default", {"propagationPolicy": "Foreground"})
        await world.until(lambda: world.get(resource, NAME) is None)
        # A pod that its controller was just making goes a moment later, when its owner is found to be absent.
        await world.until(lambda: not world.list(PODS) and not world.list(CONTROLLER_REVISIONS))


async def test_a_revision_made_by_somebody_for_the_same_template_takes_over_without_a_restart() -> None:
    async with running_controllers() as world:
        await start(world, DAEMON_SETS)
        (first,) = world.list(CONTROLLER_REVISIONS)
        uids = {pod["metadata"]["uid"] for pod in world.list(PODS)}
        labels = {"app": NAME, "controller-revision-hash": "mine"}
        references = first["metadata"]["ownerReferences"]
        metadata = {"name": f"{NAME}-mine", "labels": labels, "ownerReferences": references}
        made = {"metadata": metadata, "data": first["data"], "revision": 2}
        await world.client.create(CONTROLLER_REVISIONS, made, "default")
        await world.settle()
        assert len(world.list(CONTROLLER_REVISIONS)) == 2
        await world.client.delete(CONTROLLER_REVISIONS, first["metadata"]["name"], "default")
        await world.client.patch(DAEMON_SETS, NAME, {"spec": {"minReadySeconds": 0}}, "default")
        await world.settle()
        assert uids == {pod["metadata"]["uid"] for pod in world.list(PODS)}
        spec = {"template": {"spec": {"terminationGracePeriodSeconds": 1}}}
        await world.client.patch(DAEMON_SETS, NAME, {"spec": spec}, "default")
        await world.until(lambda: sorted(one["revision"] for one in world.list(CONTROLLER_REVISIONS)) == [2, 3])
        await world.until(lambda: not uids & {pod["metadata"]["uid"] for pod in world.list(PODS)})
