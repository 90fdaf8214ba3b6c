"""A file system that the kernel itself mounts from a server: no program stays, so there is nothing to find again.

The same calls as `daemon.Daemon`. Not tried on a kernel with an NFS client: see docs/limits.md.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from skerry.engine import mounts
from skerry.engine.storage.contract import PATIENCE, StorageError
from skerry.engine.storage.drivers import programs, publishing
from skerry.engine.storage.drivers.remote.daemon import CONNECTION, Program, Unmounted

FILE_SYSTEMS = Path("/proc/filesystems")


class KernelMount:
    """What is mounted at `point`; `fstype` as in /proc/filesystems."""

    def __init__(self, point: Path, fstype: str) -> None:
        self._point = point
        self._fstype = fstype

    def is_alive(self) -> bool:
        """Whether something is mounted; a server that is away comes back into the same mount."""
        return publishing.is_mounted(self._point)

    async def gone(self) -> None:
        """Never returns: there is no program that could end."""
        await asyncio.Event().wait()

    async def start(self, program: Program) -> None:
        """Mount. Raises StorageError, Unmounted."""
        if not await asyncio.to_thread(self._is_in_kernel):
            why = f"this machine's kernel lacks an NFS client ({self._fstype}): the volume cannot be used here"
            raise StorageError("FAILED_PRECONDITION", why)
        words = [str(self._point) if word == CONNECTION else word for word in program.command]
        try:
            await asyncio.to_thread(programs.run, *words, package=program.package, limit=PATIENCE)
        except StorageError as error:
            if error.code != "INTERNAL":
                raise
            raise Unmounted(error.message) from error

    async def stop(self, grace: float = 0.0) -> None:
        """Unmount, whether or not the server answers: the kernel needs no time of grace."""
        for point in mounts.at_or_below(self._point):
            mounts.unmount_all(point)

    def _is_in_kernel(self) -> bool:
        if self._fstype in FILE_SYSTEMS.read_text().split():
            return True
        try:
            programs.run("modprobe", "-n", "-q", self._fstype, package="kmod")
        except StorageError:
            return False
        return True
