"""Local volumes where they are used: an image mounted once for the machine, or its device, and shown to pods.

A file system that is smaller than its volume grows when it is mounted, so an expansion that a crash cut off, or a clone
that is larger than its original, needs nobody to remember it. Blocking, from threads.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from skerry.engine import loop_devices, mounts
from skerry.engine.storage.contract import Publishing, Staging, StorageError, Usage
from skerry.engine.storage.drivers import mount_options, publishing
from skerry.engine.storage.drivers.local import filesystems
from skerry.engine.storage.drivers.local.records import Record, image_of
from skerry.engine.storage.drivers.local.volumes import LocalVolumes
from skerry.engine.storage.drivers.usage import usage_of


class LocalStaging:
    """Mounts of one instance's local volumes."""

    def __init__(self, volumes: LocalVolumes) -> None:
        self._volumes = volumes

    def stage(self, staging: Staging) -> None:
        """Mount an image, or attach its device, which then stays. Raises StorageError, OSError."""
        with self._volumes.alone(staging.handle):
            folder, kept = self._volumes.get(staging.handle)
            if not kept.fs_type:
                with loop_devices.attached(image_of(folder), keep=True) as device:
                    loop_devices.follow_size(device)
            else:
                self._mount(staging, image_of(folder), kept)

    def unstage(self, handle: str, path: Path) -> None:
        """Unmount, or free the device. Also for a volume that is gone."""
        with self._volumes.alone(handle):
            mounts.unmount_all(path)
            if (found := self._volumes.find(handle)) is not None and not found[1].fs_type:
                loop_devices.detach(image_of(found[0]))

    def publish(self, asked: Publishing) -> None:
        """Show a staged volume to a pod. Raises StorageError FAILED_PRECONDITION when it is not staged."""
        with self._volumes.alone(asked.handle):
            folder, kept = self._volumes.get(asked.handle)
            staged = asked.staged if kept.fs_type else loop_devices.find(image_of(folder))
            if staged is None or (kept.fs_type and not publishing.is_mounted(staged)):
                raise StorageError("FAILED_PRECONDITION", f"volume {asked.handle} is not staged")
            publishing.show(staged, asked.target, read_only=asked.read_only or _only_read(asked.use.access_modes))

    def expand(self, handle: str) -> int:
        """Let what is mounted or attached fill a volume that has grown; bytes it has. Raises StorageError, OSError."""
        with self._volumes.alone(handle):
            folder, kept = self._volumes.get(handle)
            image = image_of(folder)
            if (device := loop_devices.find(image)) is None:
                return kept.size  # grows when it is mounted
            loop_devices.follow_size(device)
            if kept.fs_type and (point := mounts.mounted_from(str(device))) is not None:
                if filesystems.grow(point, kept.fs_type, image.stat().st_size):
                    return kept.size
                raise StorageError(
                    "FAILED_PRECONDITION",
                    f"volume {handle} is {kept.fs_type}, which grows while mounted only with CAP_SYS_RESOURCE: "
                    "it grows when no pod uses it",
                )
            return kept.size

    def usage(self, handle: str, path: Path) -> Usage:
        """What is in a volume that is mounted at `path`. Raises StorageError, OSError."""
        _, kept = self._volumes.get(handle)
        if not kept.fs_type:
            return Usage(kept.size, None, None)
        return usage_of(handle, path)

    def _mount(self, staging: Staging, image: Path, kept: Record) -> None:
        """What follows the mount is done also when it is there: an engine may have died in between."""
        flags, rest = mount_options.split(staging.use.mount_options)
        checked = not publishing.is_mounted(staging.path) and _mount_image(staging.path, image, kept, flags, rest)
        if flags & mounts.MS_RDONLY:
            return
        if checked:
            filesystems.without_lost_and_found(staging.path)
        filesystems.open_to_all(staging.path)
        if filesystems.is_smaller(image, kept.fs_type):
            filesystems.grow(staging.path, kept.fs_type, image.stat().st_size)


def _mount_image(point: Path, image: Path, kept: Record, flags: int, rest: str) -> bool:
    """Whether its file system was checked before."""
    options = ",".join(filter(None, (filesystems.MOUNT_OPTIONS[kept.fs_type], rest)))
    with _locked(image) as lock:
        checked = loop_devices.find(image) is None and filesystems.prepare(image, kept.fs_type, lock)
        with loop_devices.attached(image) as device:
            loop_devices.follow_size(device)
            mounts.mount(str(device), point, kept.fs_type, flags, options)
    return checked


@contextlib.contextmanager
def _locked(image: Path) -> Iterator[int]:
    """Keep an image from being mounted while e2fsck or resize2fs works on it, maybe one that an engine which died had
    started. Raises StorageError ABORTED."""
    descriptor = os.open(image, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    except BlockingIOError:
        raise StorageError("ABORTED", f"the file system of volume {image.stem} is still being checked") from None
    finally:
        os.close(descriptor)


def _only_read(modes: tuple[str, ...]) -> bool:
    return set(modes) == {"ReadOnlyMany"}
