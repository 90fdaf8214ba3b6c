"""Volumes and snapshots as images in homes: made, cloned, enlarged, listed, removed. Blocking, from threads.

Invariants: what a call makes is there completely or not at all; the same call again finds it; promises fit on the disk.
Neighbours: `records` (one directory each), `homes` (where), `filesystems` (what is inside), `staging` (mounts).
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from weakref import WeakValueDictionary

from skerry.engine import loop_devices, mounts
from skerry.engine.storage.contract import Snapshot, StorageError, VolumeRequest
from skerry.engine.storage.drivers.handles import checked
from skerry.engine.storage.drivers.local import filesystems, parameters, records, reflinks, room, sizing
from skerry.engine.storage.drivers.local.homes import Home, Homes
from skerry.engine.storage.drivers.local.parameters import Parameters
from skerry.engine.storage.drivers.local.records import Record, image_of
from skerry.kube.records import record

_LEAST = sizing.MIB


@record
class Origin:
    """What a volume begins with: an image, and what is known about it."""

    home: Home
    folder: Path
    kept: Record


class LocalVolumes:
    """Those of one instance."""

    def __init__(self, root: Path) -> None:
        self.homes = Homes(root)
        self._locks: WeakValueDictionary[str, threading.RLock] = WeakValueDictionary()
        """By handle, as long as somebody has them."""
        self._choosing = threading.Lock()
        self._budget = threading.Lock()
        self._pending: dict[str, int] = {}
        """Bytes by handle that calls under way have been promised."""

    @contextlib.contextmanager
    def alone(self, handle: str) -> Iterator[None]:
        """Nobody else works on this volume or snapshot meanwhile."""
        with self._choosing:
            lock = self._locks.setdefault(checked(handle), threading.RLock())
        with lock:
            yield

    # ---- volumes

    def create(self, request: VolumeRequest) -> Record:
        """Make a volume or find the one of that name. Raises StorageError."""
        wanted = parameters.read(request.parameters, request.use.fs_type)
        with self.alone(request.name):
            if (found := self.find(request.name)) is not None:
                return _same(found[1], request)
            with self._origin(request) as origin:
                return self._make(request, wanted, origin)

    def find(self, handle: str) -> tuple[Path, Record] | None:
        """Directory and record of a volume. Raises StorageError."""
        for home in self.homes.all():
            folder = home.volumes / checked(handle)
            if (kept := records.read(folder)) is not None:
                return folder, kept
        return None

    def get(self, handle: str) -> tuple[Path, Record]:
        """`find`, or StorageError NOT_FOUND."""
        if (found := self.find(handle)) is None:
            raise StorageError("NOT_FOUND", f"volume {handle} is not there (any more)")
        return found

    def delete(self, handle: str) -> None:
        """Remove a volume with its data. Raises StorageError FAILED_PRECONDITION while it is mounted."""
        with self.alone(handle):
            for home in self.homes.all():
                folder = home.volumes / handle
                if _mount_of(image_of(folder)) is not None:
                    raise StorageError("FAILED_PRECONDITION", f"volume {handle} is mounted")
                loop_devices.detach(image_of(folder))
                records.remove(folder)

    def expand(self, handle: str, size: int) -> Record:
        """Give a volume at least `size` bytes; its file system follows where it is mounted. Raises StorageError."""
        with self.alone(handle):
            folder, kept = self.get(handle)
            if size > kept.size:
                image = image_of(folder)
                length = sizing.image_size(size, kept.fs_type, inodes=kept.inodes, bytes_per_inode=kept.bytes_per_inode)
                more = max(0, length - image.stat().st_size)
                with self._promised(handle, more, kept.overcommit, f"expanding {handle}"):
                    os.truncate(image, image.stat().st_size + more)
                    kept = replace(kept, size=size)
                    records.replace(folder, kept)
            return kept

    def everything(self) -> list[Record]:
        """All volumes there are."""
        return [kept for home in self.homes.all() for _, kept in records.everything(home.volumes)]

    def left(self, given: Mapping[str, str]) -> int:
        """Bytes that volumes of a class with these parameters can still be promised."""
        with self._budget:
            return self._measure().left(parameters.read(given).overcommit)

    # ---- snapshots

    def snapshot(self, name: str, volume: str) -> Snapshot:
        """Take one, or find the one of that name. Raises StorageError."""
        with self.alone(name):
            if (found := self.find_snapshot(name)) is not None:
                if found[2].volume != volume:
                    raise StorageError("ALREADY_EXISTS", f"{name} is a snapshot of {found[2].volume}")
                return as_snapshot(found[2])
            with self.alone(volume):
                return self._take(name, *self.get(volume))

    def find_snapshot(self, handle: str) -> tuple[Home, Path, Record] | None:
        """Home, directory and record of a snapshot. Raises StorageError."""
        for home in self.homes.all():
            folder = home.snapshots / checked(handle)
            if (kept := records.read(folder)) is not None:
                return home, folder, kept
        return None

    def delete_snapshot(self, handle: str) -> None:
        """Remove one; what shares blocks with it stays."""
        with self.alone(handle):
            for home in self.homes.all():
                records.remove(home.snapshots / handle)

    # ---- how

    def _make(self, request: VolumeRequest, wanted: Parameters, origin: Origin | None) -> Record:
        size = max(request.size, _LEAST)
        if origin is not None:
            home, kept = origin.home, _begun(request, size, wanted, origin)
        else:
            home, kept = self.homes.for_new(snapshots=wanted.snapshots), _fresh(request, size, wanted)
        length = sizing.image_size(size, kept.fs_type, inodes=kept.inodes, bytes_per_inode=kept.bytes_per_inode)

        def fill(image: Path) -> None:
            if origin is None:
                filesystems.make(image, kept.fs_type, size, wanted)
                return
            _sync(image_of(origin.folder))
            reflinks.clone(image_of(origin.folder), image)
            os.truncate(image, max(length, image.stat().st_size))

        with self._promised(request.name, length, wanted.overcommit, f"a volume of {size / 2**30:.1f} GiB"):
            records.make(home.volumes / request.name, kept, fill)
        return kept

    @contextlib.contextmanager
    def _origin(self, request: VolumeRequest) -> Iterator[Origin | None]:
        """What the volume begins with, held against changes. Raises StorageError NOT_FOUND, INVALID_ARGUMENT."""
        handle = request.source.snapshot or request.source.volume
        if not handle:
            yield None
            return
        with self.alone(handle):
            origin = self._snapshot_origin(handle) if request.source.snapshot else self._volume_origin(handle)
            if not origin.home.reflinks:
                raise StorageError("FAILED_PRECONDITION", f"{handle} cannot be cloned: {self._why_plain(origin.kept)}")
            yield origin

    def _snapshot_origin(self, handle: str) -> Origin:
        if (found := self.find_snapshot(handle)) is None:
            raise StorageError("NOT_FOUND", f"snapshot {handle} is not there (any more)")
        return Origin(*found)

    def _volume_origin(self, handle: str) -> Origin:
        folder, kept = self.get(handle)
        home = next(home for home in self.homes.all() if home.volumes == folder.parent)
        return Origin(home, folder, kept)

    def _take(self, name: str, folder: Path, kept: Record) -> Snapshot:
        home = next(home for home in self.homes.all() if home.volumes == folder.parent)
        if not home.reflinks or not kept.snapshots:
            raise StorageError("FAILED_PRECONDITION", f"{kept.name} has no snapshots: {self._why_plain(kept)}")
        image = image_of(folder)
        _sync(image)
        shared = room.held(image)
        taken = replace(kept, name=name, volume=kept.name, made=time.time(), shared=shared)
        with self._promised(name, shared, kept.overcommit, f"a snapshot of {kept.name}"):
            records.make(home.snapshots / name, taken, lambda target: reflinks.clone(image, target))
        return as_snapshot(taken)

    def _why_plain(self, kept: Record) -> str:
        if not kept.snapshots:
            return 'its StorageClass says snapshots: "false"'
        reason = self.homes.without_pool or "it was made without"
        return f"the machine can make no pool of files that share blocks ({reason})"

    @contextlib.contextmanager
    def _promised(self, handle: str, length: int, overcommit: float, what: str) -> Iterator[None]:
        """Hold what a call is about to promise against those beside it. Raises StorageError RESOURCE_EXHAUSTED."""
        with self._budget:
            room.require(self._measure(), length, overcommit, what)
            self._pending[handle] = length
        try:
            yield
        finally:
            with self._budget:
                del self._pending[handle]

    def _measure(self) -> room.Room:
        found = room.measure(self.homes.root, self.homes.all())
        return replace(found, owed=found.owed + sum(self._pending.values()))


def as_snapshot(kept: Record) -> Snapshot:
    """A snapshot's record in the contract's words."""
    return Snapshot(kept.name, kept.volume, kept.made, kept.size)


def _fresh(request: VolumeRequest, size: int, wanted: Parameters) -> Record:
    fs_type = "" if request.use.block else filesystems.choose(wanted.fs_type)
    return Record(
        request.name, size, fs_type, time.time(), wanted.snapshots, wanted.inodes, wanted.bytes_per_inode,
        wanted.overcommit,
        namespace=request.claim[0], claim=request.claim[1],
    )  # fmt: skip


def _begun(request: VolumeRequest, size: int, wanted: Parameters, origin: Origin) -> Record:
    before = origin.kept
    if size < before.size:
        raise StorageError("OUT_OF_RANGE", f"{size} bytes are fewer than the {before.size} of {before.name}")
    if request.use.block != (not before.fs_type):
        raise StorageError("INVALID_ARGUMENT", f"{before.name} has another volumeMode than the claim")
    if wanted.fs_type not in ("", before.fs_type) and before.fs_type:
        raise StorageError("INVALID_ARGUMENT", f"{before.name} is {before.fs_type}, not {wanted.fs_type}")
    return replace(
        before, name=request.name, size=size, made=time.time(), snapshots=wanted.snapshots, volume=before.name,
        overcommit=wanted.overcommit,
        shared=room.held(image_of(origin.folder)), namespace=request.claim[0], claim=request.claim[1],
    )  # fmt: skip


def _same(kept: Record, request: VolumeRequest) -> Record:
    """The volume that is there, if it is what is asked for."""
    source = request.source.snapshot or request.source.volume
    if kept.size < request.size or request.use.block != (not kept.fs_type) or source != kept.volume:
        raise StorageError("ALREADY_EXISTS", f"{request.name} is there already and different")
    return kept


def _sync(image: Path) -> None:
    """Bring what users of a volume have written to its image. Nothing is frozen: see `reflinks`."""
    if (device := loop_devices.find(image)) is None:
        return
    point = mounts.mounted_from(str(device))
    descriptor = os.open(point or device, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if point is None:
            os.fsync(descriptor)
        else:
            mounts.sync_file_system(descriptor)
    finally:
        os.close(descriptor)


def _mount_of(image: Path) -> Path | None:
    device = loop_devices.find(image)
    return mounts.mounted_from(str(device)) if device is not None else None
