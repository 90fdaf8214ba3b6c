"""The engine ends while a driver works: what it had done by then is found again, used, and gone in the end."""

from __future__ import annotations

from pathlib import Path

from skerry.engine.definitions.installing import install
from skerry.engine.definitions.snapshots import DEFINITIONS, SNAPSHOT_CLASSES, SNAPSHOT_CONTENTS, VOLUME_SNAPSHOTS
from skerry.kube.objects import Obj, Resource, uid_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, STORAGE_CLASSES
from tests.support.controllers import World, running_controllers
from tests.support.storage import SNAPSHOTS, claim, running_storage, snapshot, storage_class
from tests.support.waiting import until


async def test_each_step_goes_on_where_it_was(tmp_path: Path) -> None:
    root = tmp_path / "volumes"
    async with running_controllers() as world:
        await install(world.api.server.component("definition-installer"), DEFINITIONS)
        await world.client.create(STORAGE_CLASSES, storage_class("folders"))
        await world.client.create(SNAPSHOT_CLASSES, SNAPSHOTS)

        made = await interrupted(world, root, "create", PERSISTENT_VOLUME_CLAIMS, claim("data"))
        async with running_storage(root, world) as storage:
            await until(lambda: status(world, PERSISTENT_VOLUME_CLAIMS, "data").get("phase") == "Bound")
            assert storage.driver.names == [f"pvc-{uid_of(made)}"]

        grown = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
        async with running_storage(root, world) as storage:
            storage.driver.held = {"expand"}
            await world.client.patch(PERSISTENT_VOLUME_CLAIMS, "data", grown, "default")
            await until(lambda: "expand" in dict(storage.driver.calls))
        async with running_storage(root, world):
            size = {"storage": "2Gi"}
            await until(lambda: status(world, PERSISTENT_VOLUME_CLAIMS, "data").get("capacity") == size)
        assert "allocatedResourceStatuses" not in status(world, PERSISTENT_VOLUME_CLAIMS, "data")

        taken = await interrupted(world, root, "snapshot", VOLUME_SNAPSHOTS, snapshot("first", "data"))
        async with running_storage(root, world) as storage:
            await until(lambda: status(world, VOLUME_SNAPSHOTS, "first").get("readyToUse"))
            assert storage.driver.names == [f"pvc-{uid_of(made)}", f"snapshot-{uid_of(taken)}"]
            storage.driver.held = {"delete_snapshot", "delete"}
            await world.client.delete(VOLUME_SNAPSHOTS, "first", "default")
            await world.client.delete(PERSISTENT_VOLUME_CLAIMS, "data", "default")
            await until(lambda: {"delete", "delete_snapshot"} <= dict(storage.driver.calls).keys())
        async with running_storage(root, world) as storage:
            await until(lambda: not world.list(PERSISTENT_VOLUMES, None), "volumes gone")
            await until(lambda: not world.list(SNAPSHOT_CONTENTS, None), "contents gone")
            await until(lambda: not world.list(VOLUME_SNAPSHOTS), "snapshots gone")
            assert storage.driver.names == []


async def interrupted(world: World, root: Path, call: str, resource: Resource, obj: Obj) -> Obj:
    """Create an object, and end the room when its driver has done its work and not yet said so."""
    async with running_storage(root, world) as storage:
        storage.driver.held = {call}
        made = await world.client.create(resource, obj, "default")
        await until(lambda: call in dict(storage.driver.calls), f"{call} is called")
    return made


def status(world: World, resource: Resource, name: str) -> Obj:
    return dict((world.get(resource, name) or {}).get("status") or {})
