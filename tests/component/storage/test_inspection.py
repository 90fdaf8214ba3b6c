"""StoragePools on a real API: what a driver has beside what PersistentVolumes say, and orphans that go when asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from skerry.engine.definitions.installing import install
from skerry.engine.definitions.storage_pools import DEFINITIONS, STORAGE_POOLS
from skerry.engine.program.context import make_context
from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.contract import Ability, Driver, StorageError, Volume
from skerry.engine.storage.inspection import comparing
from skerry.engine.storage.inspection.inspector import Inspector
from skerry.engine.storage.registry import Drivers
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj
from skerry.kube.resources import PERSISTENT_VOLUMES
from tests.support.api import RunningApi, running_api
from tests.support.waiting import until


class Shelf(Driver):
    """Volumes by handle; those in `stuck` cannot be deleted, those in `busy` not now."""

    name = "shelf.example"
    abilities = frozenset({Ability.LIST})

    def __init__(self, *handles: str) -> None:
        self.handles = dict.fromkeys(handles, 2**20)
        self.stuck: set[str] = set()
        self.busy: set[str] = set()

    async def volumes(self) -> Sequence[Volume]:
        return [Volume(handle, size) for handle, size in self.handles.items()]

    async def capacity(self, parameters: Mapping[str, str]) -> int | None:
        return 5 * 2**20

    async def delete(self, handle: str, secrets: Mapping[str, str]) -> None:
        if handle in self.busy:
            raise StorageError("UNAVAILABLE", "it is busy")
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


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "GRACE", 0.0)


async def test_a_pool_says_what_nobody_speaks_of_and_orphans_go_when_asked() -> None:
    shelf = Shelf("kept", "lost", "open")
    shelf.stuck = {"open"}
    async with running_api() as api:
        await install(api.client, DEFINITIONS)
        context = context_of(api, shelf)
        inspector = Inspector(context)
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


async def test_a_driver_that_comes_late_is_looked_at_and_one_that_is_busy_asked_again_in_a_minute() -> None:
    shelf, drivers = Shelf("lost"), Drivers()
    shelf.busy = {"lost"}
    async with running_api() as api:
        await install(api.client, DEFINITIONS)
        wanted = {"metadata": {"name": Shelf.name}, "spec": {"reclaim": ["lost"]}}
        await api.client.create(STORAGE_POOLS, wanted)
        context = replace(context_of(api, shelf), drivers=drivers)
        inspector = Inspector(context)
        await context.informers.start()
        try:
            assert await inspector.reconcile(Shelf.name) is None
            assert (await pool(api))["conditions"][0]["reason"] == "DriverUnavailable"
            drivers.add(shelf.name, shelf)
            inspector.look_again()
            assert await inspector.queue.take() == Shelf.name
            pools = context.informers.of(STORAGE_POOLS)
            await until(lambda: pools.get(Shelf.name)["status"]["conditions"])  # else it writes what is old by then
            assert await inspector.reconcile(Shelf.name) == 60
            found = await api.client.get(STORAGE_POOLS, Shelf.name)
            assert found["spec"]["reclaim"] == ["lost"]
            assert found["status"]["refused"] == [{"handle": "lost", "message": "it is busy"}]
        finally:
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
