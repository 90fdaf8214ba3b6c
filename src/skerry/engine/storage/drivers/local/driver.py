"""The local driver: volumes of this machine's disk, each an image file whose size is the volume's.

Everything that touches the disk runs in a few threads of its own; here are only the contract's words for it.
Neighbours: `volumes` (what there is), `staging` (where it is mounted), `parameters` (what a class may say).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from skerry.engine.storage.contract import (
    Ability,
    Driver,
    Expansion,
    Publishing,
    Snapshot,
    Staging,
    StorageError,
    Usage,
    Volume,
    VolumeRequest,
)
from skerry.engine.storage.drivers import publishing
from skerry.engine.storage.drivers.handles import checked
from skerry.engine.storage.drivers.local.records import Record
from skerry.engine.storage.drivers.local.staging import LocalStaging
from skerry.engine.storage.drivers.local.volumes import LocalVolumes, as_snapshot
from skerry.engine.storage.drivers.threads import Threads

_HOSTNAME = "kubernetes.io/hostname"
_THREADS = 4


class LocalDriver(Driver):
    """`root` is where images live, `node` the name of this machine's node."""

    name: str = "local.storage.skerry.dev"
    abilities = frozenset(Ability) - {Ability.ATTACH}

    def __init__(self, root: Path, node: str) -> None:
        self._node = node
        self._threads = Threads("local", _THREADS)
        self._volumes = LocalVolumes(root)
        self._staging = LocalStaging(self._volumes)

    async def create(self, request: VolumeRequest) -> Volume:
        """Make a volume, or find the one of that name. Raises StorageError."""
        return self._volume(await self._threads.run(lambda: self._volumes.create(request)))

    async def delete(self, handle: str, secrets: Mapping[str, str]) -> None:
        """Delete a volume that is not mounted. Raises StorageError."""
        await self._threads.run(lambda: self._volumes.delete(handle))

    async def expand(self, handle: str, size: int, secrets: Mapping[str, str]) -> Expansion:
        """Enlarge image and file system; `on_node` stays true where the latter has to wait. Raises StorageError."""

        def work() -> Expansion:
            kept = self._volumes.expand(handle, size)
            try:
                return Expansion(self._staging.expand(handle), on_node=False)
            except StorageError as error:
                if error.code != "FAILED_PRECONDITION":
                    raise
                return Expansion(kept.size, on_node=True)

        return await self._threads.run(work)

    async def snapshot(
        self, name: str, volume: str, parameters: Mapping[str, str], secrets: Mapping[str, str]
    ) -> Snapshot:
        """Take a snapshot, as after a power cut at this moment. Raises StorageError."""
        if parameters:
            raise StorageError("INVALID_ARGUMENT", f"unknown parameter {', '.join(sorted(parameters))}: there is none")
        return await self._threads.run(lambda: self._volumes.snapshot(name, volume))

    async def delete_snapshot(self, handle: str, secrets: Mapping[str, str]) -> None:
        """Delete a snapshot. Raises StorageError."""
        await self._threads.run(lambda: self._volumes.delete_snapshot(handle))

    async def snapshot_of(self, handle: str, secrets: Mapping[str, str]) -> Snapshot | None:
        """A snapshot by its handle. Raises StorageError."""
        found = await self._threads.run(lambda: self._volumes.find_snapshot(handle))
        return as_snapshot(found[2]) if found else None

    async def volumes(self) -> Sequence[Volume]:
        """All volumes. Raises StorageError."""
        return [self._volume(kept) for kept in await self._threads.run(self._volumes.everything)]

    async def capacity(self, parameters: Mapping[str, str]) -> int | None:
        """Bytes that can still be promised. Raises StorageError."""
        return await self._threads.run(lambda: self._volumes.left(parameters))

    async def stage(self, staging: Staging) -> None:
        """Mount the image, or attach its device. Raises StorageError."""
        await self._threads.run(lambda: self._staging.stage(staging))

    async def unstage(self, handle: str, path: Path) -> None:
        """Unmount it, or free the device. Raises StorageError."""
        await self._threads.run(lambda: self._staging.unstage(handle, path))

    async def publish(self, asked: Publishing) -> None:
        """Show it to a pod. Raises StorageError."""
        await self._threads.run(lambda: self._staging.publish(asked))

    async def unpublish(self, handle: str, target: Path) -> None:
        """Take it from a pod. Raises StorageError."""
        await self._threads.run(lambda: publishing.take_back(target))

    async def expand_on_node(self, handle: str, path: Path, size: int) -> int:
        """Let the mounted file system fill the volume. Raises StorageError."""
        return await self._threads.run(lambda: self._staging.expand(handle))

    async def stats(self, handle: str, path: Path) -> Usage:
        """What is in it. Raises StorageError."""
        return await self._threads.run(lambda: self._staging.usage(checked(handle), path))

    def _volume(self, kept: Record) -> Volume:
        return Volume(kept.name, kept.size, nodes=({_HOSTNAME: self._node},))
