"""`memory.storage.skerry.dev`: volumes in the machine's memory, each a tmpfs of the requested size.

Such a volume outlives the pods that use it and the engine, and ends empty when the machine or the instance is stopped:
it is there again then, without data. All of them together promise at most the class parameter `limit`, by default half
of the machine's memory. A file per volume says its size; the mount is made when it is staged first.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from skerry.engine import mounts
from skerry.engine.private_files import to_disk, write_private
from skerry.engine.storage.contract import (
    Ability,
    Driver,
    Expansion,
    Publishing,
    Staging,
    StorageError,
    Usage,
    Volume,
    VolumeRequest,
)
from skerry.engine.storage.drivers import mount_options, publishing
from skerry.engine.storage.drivers.handles import checked
from skerry.engine.storage.drivers.threads import Threads
from skerry.engine.storage.drivers.usage import usage_of
from skerry.kube.quantities import bytes_of

_PAGE = 4096
_LEAST_INODES = 1024
_REMOUNT = mount_options.ALWAYS | mounts.MS_REMOUNT


class MemoryDriver(Driver):
    """`root` is where sizes are noted and memory is mounted, `node` the name of this machine's node."""

    name: str = "memory.storage.skerry.dev"
    abilities = frozenset(
        {Ability.PROVISION, Ability.EXPAND, Ability.LIST, Ability.STAGE, Ability.STATS, Ability.GROUP}
    )

    def __init__(self, root: Path, node: str) -> None:
        self._root, self._node = root, node
        self._threads = Threads("memory", 2)
        self._lock = threading.Lock()

    async def create(self, request: VolumeRequest) -> Volume:
        """Note a volume, or find the one of that name. Raises StorageError."""
        return await self._threads.run(lambda: self._create(request))

    async def delete(self, handle: str, secrets: Mapping[str, str]) -> None:
        """Free its memory."""

        def work() -> None:
            with self._lock:
                publishing.take_back(self._mountpoint(handle))
                self._note(handle).unlink(missing_ok=True)

        await self._threads.run(work)

    async def expand(self, handle: str, size: int, secrets: Mapping[str, str]) -> Expansion:
        """Enlarge it, at once also where it is mounted. Raises StorageError."""
        return Expansion(await self._threads.run(lambda: self._expand(handle, size)), on_node=False)

    async def volumes(self) -> Sequence[Volume]:
        """All volumes."""
        sizes = await self._threads.run(self._sizes)
        return [self._volume(handle, size) for handle, size in sizes.items()]

    async def capacity(self, parameters: Mapping[str, str]) -> int | None:
        """Bytes that can still be promised. Raises StorageError."""
        sizes = await self._threads.run(self._sizes)
        return max(0, _limit(parameters) - sum(sizes.values()))

    async def stage(self, staging: Staging) -> None:
        """Make its memory visible for the machine. Raises StorageError."""
        await self._threads.run(lambda: self._stage(staging))

    async def unstage(self, handle: str, path: Path) -> None:
        """Take that back; its memory stays."""
        await self._threads.run(lambda: mounts.unmount_all(path))

    async def publish(self, asked: Publishing) -> None:
        """Show it to a pod. Raises StorageError FAILED_PRECONDITION when it is not staged."""
        await self._threads.run(lambda: _publish(asked))

    async def unpublish(self, handle: str, target: Path) -> None:
        """Take it from a pod."""
        await self._threads.run(lambda: publishing.take_back(target))

    async def expand_on_node(self, handle: str, path: Path, size: int) -> int:
        """Nothing is left to do after `expand`."""
        return await self._threads.run(lambda: self._size(handle))

    async def stats(self, handle: str, path: Path) -> Usage:
        """What is in it. Raises StorageError."""
        return await self._threads.run(lambda: usage_of(handle, path))

    # ---- how

    def _create(self, request: VolumeRequest) -> Volume:
        limit = _limit(request.parameters)
        _refuse_what_memory_lacks(request)
        size = _pages(max(request.size, 1))
        with self._lock:
            sizes = self._sizes()
            if request.name not in sizes:
                _require(sizes, size, limit)
                self._write(request.name, size, limit)
            elif sizes[request.name] < request.size:
                raise StorageError("ALREADY_EXISTS", f"{request.name} is there already and smaller")
            return self._volume(request.name, sizes.get(request.name, size))

    def _expand(self, handle: str, size: int) -> int:
        with self._lock:
            before, limit = self._noted(handle)
            size = max(before, _pages(size))
            if size > before:
                _require(self._sizes(), size - before, limit)
                self._write(handle, size, limit)
            if publishing.is_mounted(self._mountpoint(handle)):
                mounts.mount("tmpfs", self._mountpoint(handle), "tmpfs", _REMOUNT, _options(size))
            return size

    def _stage(self, staging: Staging) -> None:
        flags, rest = mount_options.split(staging.use.mount_options)
        if rest:
            raise StorageError("INVALID_ARGUMENT", f"volumes in memory cannot have the mount option {rest}")
        with self._lock:
            size, point = self._size(staging.handle), self._mountpoint(staging.handle)
            if not publishing.is_mounted(point):
                point.mkdir(mode=0o700, exist_ok=True)
                mounts.mount_tmpfs(point, f"{_options(size)},mode=0777")
            if not publishing.is_mounted(staging.path):
                mounts.bind(str(point), staging.path)
            mounts.mount("none", staging.path, flags=flags | mounts.MS_REMOUNT | mounts.MS_BIND)

    def _sizes(self) -> dict[str, int]:
        return {note.stem: _numbers(note)[0] for note in sorted(self._root.glob("*.size"))}

    def _size(self, handle: str) -> int:
        return self._noted(handle)[0]

    def _noted(self, handle: str) -> tuple[int, int]:
        """Its size, and the limit of its class when it was made."""
        try:
            return _numbers(self._note(handle))
        except FileNotFoundError:
            raise StorageError("NOT_FOUND", f"volume {handle} is not there (any more)") from None

    def _write(self, handle: str, size: int, limit: int) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._note(handle), f"{size} {limit}".encode())
        to_disk(self._root)

    def _note(self, handle: str) -> Path:
        return self._root / f"{checked(handle)}.size"

    def _mountpoint(self, handle: str) -> Path:
        return self._root / checked(handle)

    def _volume(self, handle: str, size: int) -> Volume:
        return Volume(handle, size, nodes=({"kubernetes.io/hostname": self._node},))


def _require(sizes: Mapping[str, int], more: int, limit: int) -> None:
    left = max(0, limit - sum(sizes.values()))
    if more > left:
        raise StorageError(
            "RESOURCE_EXHAUSTED",
            f"{more / 2**20:.0f} MiB of memory are wanted, {left / 2**20:.0f} MiB can still be promised: "
            f"{len(sizes)} volumes have the rest of {limit / 2**20:.0f} MiB. Delete volumes, or set the parameter "
            "limit in the StorageClass",
        )


def _numbers(note: Path) -> tuple[int, int]:
    try:
        size, limit = map(int, note.read_text().split())
    except ValueError as error:
        raise StorageError("INTERNAL", f"{note} cannot be read: {error}") from error
    return size, limit


def _pages(size: int) -> int:
    return -(-size // _PAGE) * _PAGE


def _refuse_what_memory_lacks(request: VolumeRequest) -> None:
    for wanted, what in (
        (request.use.block, "volumeMode Block"),
        (request.source.snapshot or request.source.volume, "a dataSource"),
        (request.use.fs_type not in ("", "tmpfs"), f"fsType {request.use.fs_type}"),
    ):
        if wanted:
            raise StorageError("INVALID_ARGUMENT", f"volumes in memory cannot have {what}")


def _limit(parameters: Mapping[str, str]) -> int:
    if unknown := sorted(set(parameters) - {"limit"}):
        raise StorageError("INVALID_ARGUMENT", f"unknown parameter {', '.join(unknown)}: known is limit")
    if "limit" not in parameters:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    try:
        return bytes_of(parameters["limit"])
    except ValueError as error:
        raise StorageError("INVALID_ARGUMENT", f"parameter limit: {error}") from error


def _options(size: int) -> str:
    """A file in memory costs the kernel more than its content, so their number is bounded too."""
    return f"size={size},nr_inodes={size // _PAGE + _LEAST_INODES}"


def _publish(asked: Publishing) -> None:
    if not publishing.is_mounted(asked.staged):
        raise StorageError("FAILED_PRECONDITION", f"volume {asked.handle} is not staged")
    publishing.show(asked.staged, asked.target, read_only=asked.read_only)
