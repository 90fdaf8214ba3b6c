"""A storage driver made of directories, and a test cluster whose claims it answers.

async with running_storage(tmp_path) as world:
    await world.client.create(PERSISTENT_VOLUME_CLAIMS, claim("data"), "default")
    await world.until(lambda: world.is_bound("data"))
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from skerry.engine.definitions.installing import install
from skerry.engine.definitions.snapshots import DEFINITIONS
from skerry.engine.storage.all import make_storage_controllers
from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.contract import (
    Ability,
    Driver,
    Expansion,
    Snapshot,
    StorageError,
    Volume,
    VolumeRequest,
)
from skerry.engine.storage.registry import Drivers
from skerry.kube.objects import Obj
from skerry.kube.resources import STORAGE_CLASSES
from tests.support.controllers import World, running_controllers

NAME = "folders.test.skerry.dev"
SNAPSHOTS = {
    "apiVersion": "snapshot.storage.k8s.io/v1",
    "kind": "VolumeSnapshotClass",
    "metadata": {"name": "folders", "annotations": {"snapshot.storage.kubernetes.io/is-default-class": "true"}},
    "driver": NAME,
    "deletionPolicy": "Delete",
}


class FolderDriver(Driver):
    """A volume is a directory with a note of its size; a snapshot is a copy. `failures`: what the next calls raise, by
    the name of the call."""

    name = NAME
    abilities = frozenset({Ability.PROVISION, Ability.EXPAND, Ability.SNAPSHOT, Ability.CLONE, Ability.LIST})

    def __init__(self, root: Path) -> None:
        self.root = root
        self.on_node = False
        self.largest = 2**62
        self.copies_for = 0
        """Looks at a snapshot until it is ready."""
        self.held: set[str] = set()
        """Calls that do their work and then never answer."""
        self.failures: dict[str, list[StorageError]] = {}
        self.calls: list[tuple[str, str]] = []
        self.requests: list[VolumeRequest] = []
        self.secrets: dict[str, Mapping[str, str]] = {}

    async def _called(self, call: str, what: str, secrets: Mapping[str, str]) -> None:
        self.calls.append((call, what))
        self.secrets[call] = secrets
        if call in self.held:
            await asyncio.get_running_loop().create_future()
        if self.failures.get(call):
            raise self.failures[call].pop(0)

    @property
    def names(self) -> list[str]:
        """Of all volumes and snapshots."""
        return sorted(one.name for one in self.root.iterdir())

    async def create(self, request: VolumeRequest) -> Volume:
        self.requests.append(request)
        path = self.root / request.name
        if not path.exists():
            source = request.source.snapshot or request.source.volume
            shutil.copytree(self.root / source, path) if source else path.mkdir()
        self._write_size(request.name, request.size)
        await self._called("create", request.name, request.secrets)  # a failure leaves what was made, as a crash does
        return Volume(request.name, request.size, {"folder": request.name}, ({"kubernetes.io/hostname": "node"},))

    async def delete(self, handle: str, secrets: Mapping[str, str]) -> None:
        if not self.failures.get("delete"):
            shutil.rmtree(self.root / handle, ignore_errors=True)
        await self._called("delete", handle, secrets)

    async def expand(self, handle: str, size: int, secrets: Mapping[str, str]) -> Expansion:
        await self._called("expand", handle, secrets)
        if size > self.largest:
            raise StorageError("OUT_OF_RANGE", "there is no such disk")
        self._write_size(handle, size)
        return Expansion(size, self.on_node)

    async def snapshot(
        self, name: str, volume: str, parameters: Mapping[str, str], secrets: Mapping[str, str]
    ) -> Snapshot:
        if not (self.root / name).exists():
            shutil.copytree(self.root / volume, self.root / name)
        await self._called("snapshot", name, secrets)
        return await self._snapshot(name)

    async def delete_snapshot(self, handle: str, secrets: Mapping[str, str]) -> None:
        if not self.failures.get("delete_snapshot"):
            shutil.rmtree(self.root / handle, ignore_errors=True)
        await self._called("delete_snapshot", handle, secrets)

    async def snapshot_of(self, handle: str, secrets: Mapping[str, str]) -> Snapshot | None:
        return await self._snapshot(handle) if (self.root / handle).exists() else None

    async def volumes(self) -> Sequence[Volume]:
        return [Volume(name, self._size(name)) for name in self.names if name.startswith("pvc-")]

    async def capacity(self, parameters: Mapping[str, str]) -> int | None:
        if self.failures.get("capacity"):
            raise self.failures["capacity"].pop(0)
        return 1000 * 2**30 - sum(self._size(name) for name in self.names)

    async def _snapshot(self, name: str) -> Snapshot:
        self.copies_for -= 1
        return Snapshot(name, "", (self.root / name).stat().st_mtime, self._size(name), self.copies_for < 0)

    def _write_size(self, name: str, size: int) -> None:
        (self.root / name / ".size").write_bytes(orjson.dumps(size))

    def _size(self, name: str) -> int:
        size: int = orjson.loads((self.root / name / ".size").read_bytes())
        return size


class StorageWorld:
    """A test cluster, its driver, and what is asked often."""

    def __init__(self, world: World, driver: FolderDriver, context: StorageContext) -> None:
        self.world = world
        self.driver = driver
        self.context = context
        self.client = world.client


@asynccontextmanager
async def running_storage(root: Path, world: World | None = None) -> AsyncIterator[StorageWorld]:
    """Controllers, a driver of directories below `root`, class `folders` (Immediate). With `world`: the storage room
    alone, once more."""
    if world is None:
        async with running_controllers() as fresh:
            await install(fresh.api.server.component("definition-installer"), DEFINITIONS)
            await fresh.client.create(STORAGE_CLASSES, storage_class("folders"))
            async with running_storage(root, fresh) as storage:
                yield storage
        return
    root.mkdir(exist_ok=True)
    driver, context = FolderDriver(root), world.context
    room = StorageContext(
        context.config, context.clock, context.informers, context.recorder, context.identity, Drivers({NAME: driver})
    )
    controllers = make_storage_controllers(room)
    await context.informers.start()
    for controller in controllers:
        controller.start()
    try:
        yield StorageWorld(world, driver, room)
    finally:
        for controller in controllers:
            await controller.close()


def storage_class(name: str, **more: Any) -> Obj:
    """Of the driver."""
    return {
        "metadata": {"name": name},
        "provisioner": NAME,
        "allowVolumeExpansion": True,
        "volumeBindingMode": "Immediate",
        **more,
    }


def claim(name: str, size: str = "1Gi", **spec: Any) -> Obj:
    """Of the class `folders`, unless said otherwise."""
    return {
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
            "storageClassName": "folders",
            **spec,
        },
    }


def snapshot(name: str, of: str, **spec: Any) -> Obj:
    """Of a claim."""
    return {
        "apiVersion": "snapshot.storage.k8s.io/v1",
        "kind": "VolumeSnapshot",
        "metadata": {"name": name},
        "spec": {"source": {"persistentVolumeClaimName": of}, **spec},
    }
