"""StoragePools on a real API: what a driver has beside what PersistentVolumes say, and orphans that go when asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from skerry.engine.definitions.installing import install
from skerry.engine.definitions.storage_pools import DEFINITIONS, STORAGE_POOLS
from skerry.engine.program.context import make_context
from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.contract import Ability, Driver, StorageError, Volume
from skerry.engine.storage.inspection.inspector import Inspector
from skerry.engine.storage.registry import Drivers
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj
from skerry.kube.resources import PERSISTENT_VOLUMES
from tests.support.api import RunningApi, running_api
from tests.support.waiting import until


class Shelf(Driver):
    """Volumes by handle; those in `stuck` cannot be deleted."""

    name = "shelf.example"
    abilities = frozenset({Ability.LIST})

    def __init__(self, *handles: str) -> None:
        self.handles = dict.fromkeys(handles, 2**20)
        self.stuck: set[str] = set()

    async def volumes(self) -> Sequence[Volume]:
        return [Volume(handle, size) for handle, size in self.handles.items()]

    async def capacity(self, parameters: Mapping[str, str]) -> int | None:
        return 5 * 2**20

    async def delete(self, handle: str, secrets: Mapping[str, str]) -> None:
        if handle in self.stuck:
            raise StorageError("FAILED_PRECONDITION", "somebody has it open")
        self.handles.pop(handle, None)


def context_of(api: RunningApi, shelf: Shelf) -> StorageContext:
    context = make_context(api.server)
    drivers = Drivers({shelf.name: shelf})
    return StorageContext(context.config, context.clock, context.informers, context.recorder, context.identity, drivers)


async def pool(api: RunningApi) -> Obj:
    with suppress(NotFound):
        return (await api.client.get(STORAGE_POOLS, Shelf.name)).get("status") or {}
    return {}


async def test_a_pool_says_what_nobody_speaks_of_and_orphans_go_when_asked() -> None:
    shelf = Shelf("kept", "lost", "open")
    shelf.stuck = {"open"}
    async with running_api() as api:
        await install(api.client, DEFINITIONS)
        context = context_of(api, shelf)
        inspector = Inspector(context, grace=0)
        await context.informers.start()
        inspector.start()
        try:
            assert await pool(api) == {}, "nothing is made before there is a volume"
            for handle in ("kept", "nowhere"):
                await api.client.create(PERSISTENT_VOLUMES, persistent_volume(handle))
            await until(lambda: _says(api, orphans=["lost", "open"], missing=["nowhere"]))
            found = await pool(api)
            assert (found["promised"], found["available"], found["volumes"]) == (3 * 2**20, 5 * 2**20, 3)
            wanted = {"spec": {"reclaim": ["lost", "open", "kept", "never-there"]}}
            await api.client.patch(STORAGE_POOLS, Shelf.name, wanted)
            await until(lambda: _says(api, orphans=["open"], missing=["nowhere"]))
            assert sorted(shelf.handles) == ["kept", "open"]
            done = await api.client.get(STORAGE_POOLS, Shelf.name)
            assert done["spec"]["reclaim"] == []
            assert {one["handle"]: one["message"] for one in done["status"]["refused"]} == {
                "kept": "PersistentVolume kept has it",
                "open": "somebody has it open",
            }
        finally:
            await inspector.close()
            await context.informers.close()
            await context.recorder.close()


async def _says(api: RunningApi, *, orphans: list[str], missing: list[str]) -> bool:
    found = await pool(api)
    return [one["handle"] for one in found.get("orphans") or ()] == orphans and [
        one["handle"] for one in found.get("missing") or ()
    ] == missing


def persistent_volume(handle: str) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": handle},
        "spec": {
            "capacity": {"storage": "1Mi"},
            "accessModes": ["ReadWriteOnce"],
            "csi": {"driver": Shelf.name, "volumeHandle": handle},
        },
    }
