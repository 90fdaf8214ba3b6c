"""Where images live: on the file system of the data directory, or in a pool that can share blocks.

If the data directory is on XFS with reflinks or on btrfs, images are there. Else there is a pool: one sparse file with
an XFS, or a btrfs where the kernel has no XFS, mounted through a loop device. A machine with neither has plain images
and no snapshots. Nothing is made before the first volume is. Neighbours: `records` (what is in a home), `volumes`.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from skerry.engine import loop_devices, mounts
from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.drivers import programs
from skerry.engine.storage.drivers.local import records, reflinks
from skerry.kube.records import record

_LEAST_POOL, _MOST_POOL = 512 * 2**20, 15 * 2**40  # ext4 has no larger files
_KINDS = {
    "xfs": (("mkfs.xfs", "-q", "-f", "-K", "-s", "size=4096", "-m", "reflink=1"), "xfsprogs", "discard,nouuid"),
    "btrfs": (("mkfs.btrfs", "-q", "-f", "-K"), "btrfs-progs", "discard=async,nodatacow"),
}
_FLAGS = mounts.MS_NOSUID | mounts.MS_NODEV | mounts.MS_NOEXEC | mounts.MS_NOATIME | mounts.MS_LAZYTIME


@record
class Home:
    """A directory of volumes and one of snapshots; `reflinks`: whether files in it can share blocks; `pool`: the sparse
    file that it is in, None when it is in the data directory itself."""

    root: Path
    reflinks: bool
    pool: Path | None = None

    @property
    def volumes(self) -> Path:
        """A directory for each volume."""
        return self.root / "volumes"

    @property
    def snapshots(self) -> Path:
        """A directory for each snapshot."""
        return self.root / "snapshots"


class Homes:
    """Those of one instance, opened when they are needed. From threads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._host: Home | None = None
        self._pool: Home | None = None
        self.without_pool = ""
        """Why there is no pool, for people; "" as long as there may be one."""

    def all(self) -> list[Home]:
        """Those that exist. Raises StorageError when the pool is there and cannot be mounted."""
        with self._lock:
            if not self.root.is_dir():
                return []
            host = self._open_host()
            pool = self._open_pool() if self._image.exists() else None
            return [host, pool] if pool else [host]

    def for_new(self, *, snapshots: bool) -> Home:
        """Where a new volume goes, made if need be. Raises StorageError."""
        with self._lock:
            host = self._open_host()
            if host.reflinks or not snapshots or (self.without_pool and not self._image.exists()):
                return host
            return self._open_pool() or host

    @property
    def _image(self) -> Path:
        return self.root / "pool.img"

    @property
    def _mountpoint(self) -> Path:
        return self.root / "pool"

    def _open_host(self) -> Home:
        if self._host is None:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._host = _opened(self.root)
        return self._host

    def _open_pool(self) -> Home | None:
        if self._pool is None or not os.path.ismount(self._mountpoint):
            if not self._image.exists() and not self._make_pool():
                return None
            if not os.path.ismount(self._mountpoint):
                self._mount_pool()
            self._pool = _opened(self._mountpoint, self._image)
        return self._pool

    def _make_pool(self) -> bool:
        """Whether there is one now, and then it is mounted. It has another name until it is known to be mountable."""
        making = self.root / ".pool.img"
        mounts.unmount_all(self._mountpoint)  # an engine died right here
        reasons = []
        for kind, (command, package, options) in _KINDS.items():
            making.unlink(missing_ok=True)
            try:
                _sparse(making, max(_LEAST_POOL, _host_size(self.root)))
                programs.run(*command, str(making), package=package)
                self._mount(making, kind, options)
            except (StorageError, OSError) as error:
                reasons.append(f"{kind}: {error}")
                continue
            making.rename(self._image)
            return True
        making.unlink(missing_ok=True)
        self.without_pool = "; ".join(reasons)
        return False

    def _mount_pool(self) -> None:
        kind = _kind_of(self._image)
        wanted = _host_size(self.root)
        if wanted > self._image.stat().st_size:
            os.truncate(self._image, wanted)
        try:
            self._mount(self._image, kind, _KINDS[kind][2])
        except OSError as error:
            raise StorageError(
                "INTERNAL", f"the pool of local volumes, {self._image}, cannot be mounted: {error.strerror}"
            ) from error
        with contextlib.suppress(StorageError):  # as large as it was: there is room elsewhere or the guard says no
            self._grow(kind)

    def _mount(self, image: Path, kind: str, options: str) -> None:
        self._mountpoint.mkdir(mode=0o700, exist_ok=True)
        with loop_devices.attached(image) as device:
            loop_devices.follow_size(device)
            mounts.mount(str(device), self._mountpoint, kind, _FLAGS, options)

    def _grow(self, kind: str) -> None:
        if kind == "xfs":
            programs.run("xfs_growfs", "-d", str(self._mountpoint), package="xfsprogs")
        else:
            programs.run("btrfs", "filesystem", "resize", "max", str(self._mountpoint), package="btrfs-progs")


def _opened(root: Path, pool: Path | None = None) -> Home:
    home = Home(root, reflinks.supported(root), pool)
    for directory in (home.volumes, home.snapshots):
        if not directory.is_dir():
            directory.mkdir(mode=0o700)
            if home.reflinks:
                reflinks.without_copy_on_write(directory)
        records.sweep_halves(directory)
    return home


def _sparse(file: Path, size: int) -> None:
    descriptor = os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(descriptor, size)
    finally:
        os.close(descriptor)


def _host_size(directory: Path) -> int:
    found = os.statvfs(directory)
    return min(_MOST_POOL, found.f_blocks * found.f_frsize // 2**20 * 2**20)


def _kind_of(image: Path) -> str:
    with image.open("rb") as file:
        return "xfs" if file.read(4) == b"XFSB" else "btrfs"
