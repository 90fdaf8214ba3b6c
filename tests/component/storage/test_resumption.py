"""The engine ends while a driver works: what it had done by then is found again, used, and gone in the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.cli.storage.findings import findings
from skerry.cli.storage.reading import Everything
from skerry.engine.definitions import storage_pools
from skerry.engine.definitions.installing import install
from skerry.engine.definitions.snapshots import DEFINITIONS, SNAPSHOT_CLASSES, SNAPSHOT_CONTENTS, VOLUME_SNAPSHOTS
from skerry.engine.storage.inspection import comparing
from skerry.kube.objects import Obj, Resource, uid_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, STORAGE_CLASSES
from tests.support.controllers import World, running_controllers
from tests.support.storage import NAME, SNAPSHOTS, claim, running_storage, snapshot, storage_class
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


async def test_what_a_crash_leaves_behind_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver had made a volume, nobody had written that down, and the claim is deleted before somebody can."""
    monkeypatch.setattr(comparing, "GRACE", 0.0)
    root = tmp_path / "volumes"
    async with running_controllers() as world:
        await install(world.api.server.component("definition-installer"), [*DEFINITIONS, *storage_pools.DEFINITIONS])
        await world.client.create(STORAGE_CLASSES, storage_class("folders"))
        async with running_storage(root, world):
            await world.client.create(PERSISTENT_VOLUME_CLAIMS, claim("kept"), "default")
            await until(lambda: status(world, PERSISTENT_VOLUME_CLAIMS, "kept").get("phase") == "Bound")
        lost = await interrupted(world, root, "create", PERSISTENT_VOLUME_CLAIMS, claim("lost"))
        await world.client.delete(PERSISTENT_VOLUME_CLAIMS, "lost", "default")
        await until(lambda: world.get(PERSISTENT_VOLUME_CLAIMS, "lost") is None, "the claim gone")
        async with running_storage(root, world):

            async def is_found() -> bool:
                pools = (await world.client.list(storage_pools.STORAGE_POOLS)).items
                found = [(one.reason, one.about) for one in findings(Everything(pools=pools))]
                return found == [("Orphan", f"{NAME}/pvc-{uid_of(lost)}")]

            await until(is_found, "`skerry storage check` shows it")


async def interrupted(world: World, root: Path, call: str, resource: Resource, obj: Obj) -> Obj:
    """Create an object, and end the room when its driver has done its work and not yet said so."""
    async with running_storage(root, world) as storage:
        storage.driver.held = {call}
        made = await world.client.create(resource, obj, "default")
        await until(lambda: call in dict(storage.driver.calls), f"{call} is called")
    return made


def status(world: World, resource: Resource, name: str) -> Obj:
    return dict((world.get(resource, name) or {}).get("status") or {})
