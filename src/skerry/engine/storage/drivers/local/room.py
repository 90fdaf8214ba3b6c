"""How much more may be promised. Pure, but for `measure`.

Images are sparse, and so is a pool: what they promise is more than what they hold. All promises together, less what is
held already, fit in what is free, so that no volume meets an error of the disk below it; a class with `overcommit` may
promise so many times as much. A part of the disk is nobody's: below it the node evicts pods (kubelet's
`imagefs.available<15%`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.drivers.local import records
from skerry.engine.storage.drivers.local.homes import Home
from skerry.kube.records import record

RESERVE = 0.15
_GIB, _SECTOR = 2**30, 512
_LEAST_OWN, _OWN_PART = 96 * 2**20, 512


@record
class Room:
    """Bytes: `free` on the host's file system, of them `reserve` kept back; `owed`: promised by `volumes` volumes and
    `snapshots` snapshots and not yet held by their images."""

    free: int
    reserve: int
    owed: int
    volumes: int
    snapshots: int

    def left(self, overcommit: float) -> int:
        """Bytes that can still be promised."""
        return max(0, int((self.free - self.reserve) * overcommit) - self.owed)


def require(room: Room, wanted: int, overcommit: float, what: str) -> None:
    """Raises StorageError RESOURCE_EXHAUSTED, with what a person can do, when there are no `wanted` bytes more."""
    left = room.left(overcommit)
    if wanted <= left:
        return
    raise StorageError(
        "RESOURCE_EXHAUSTED",
        f"{what} needs {_gib(wanted)} GiB, {_gib(left)} GiB can still be promised: {_gib(room.free)} GiB are free on "
        f"the disk of the data directory, {_gib(room.reserve)} GiB of them kept back for the node, and {room.volumes} "
        f"volumes and {room.snapshots} snapshots may still fill {_gib(room.owed)} GiB. Delete volumes or snapshots, "
        "free space on the disk, or set the parameter overcommit in the StorageClass",
    )


def measure(root: Path, homes: Iterable[Home]) -> Room:
    """What holds now below `root`, which need not be there yet."""
    while not root.exists():
        root = root.parent
    disk = os.statvfs(root)
    free, reserve = disk.f_bavail * disk.f_frsize, int(disk.f_blocks * disk.f_frsize * RESERVE)
    shares = [_share(home) for home in homes]
    return Room(free, reserve, *(sum(column) for column in zip((0, 0, 0), *shares, strict=True)))


def held(image: Path) -> int:
    """Bytes that an image takes, those it shares included."""
    return image.stat().st_blocks * _SECTOR


def owed_by_pool(promised: int, length: int, taken: int) -> int:
    """Bytes that a pool of `length` bytes, of which its host has `taken` blocks' worth, may still take when what is in
    it was promised `promised`. Blocks an image was given in the pool and has not written take nothing from the host.
    What the pool itself needs, of which the log is most, is no data."""
    return max(0, promised - max(0, taken - max(_LEAST_OWN, length // _OWN_PART)))


def _share(home: Home) -> tuple[int, int, int]:
    """Bytes owed, volumes, snapshots."""
    volumes = [found for entry in records.everything(home.volumes) if (found := _status(*entry)) is not None]
    snapshots = [kept.shared for _, kept in records.everything(home.snapshots)]
    if home.pool is None:
        owed = sum(max(0, one.st_size - one.st_blocks * _SECTOR) + shared for one, shared in volumes) + sum(snapshots)
    else:
        promised = sum(one.st_size for one, _ in volumes) + sum(snapshots)
        owed = owed_by_pool(promised, home.pool.stat().st_size, held(home.pool))
    return owed, len(volumes), len(snapshots)


def _status(folder: Path, kept: records.Record) -> tuple[os.stat_result, int] | None:
    try:
        return records.image_of(folder).stat(), kept.shared
    except FileNotFoundError:  # deleted in between
        return None


def _gib(size: int) -> str:
    return f"{size / _GIB:.1f}"
