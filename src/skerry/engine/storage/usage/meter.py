"""Measures mounted volumes. One that does not answer holds up nobody: it is left to its own time and reported silent.

Invariants: a volume is asked once at a time, however many pods have it and however often somebody asks; threads that
hang in the kernel are daemons, so that they do not keep the engine from ending.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from skerry.engine.storage.contract import Ability, Driver, StorageError, Usage
from skerry.engine.storage.usage.mounted import Mounted, MountedVolume
from skerry.kube.records import record
from skerry.kube.threads import in_own_thread

PATIENCE = 5.0
"""Seconds a volume may take to tell its usage."""


@record
class Reading:
    """`usage` is None when it could not be had: `trouble` says why."""

    volume: MountedVolume
    usage: Usage | None
    trouble: str = ""


class Meter:
    """All mounted volumes of this machine."""

    def __init__(self, mounted: Mounted, driver_of: Callable[[str], Driver | None], patience: float = PATIENCE) -> None:
        self._mounted = mounted
        self._driver_of = driver_of
        self._patience = patience
        self._asked: dict[tuple[str, str], asyncio.Task[Usage]] = {}

    async def read(self) -> Sequence[Reading]:
        """Usage of everything that is mounted, in the order of namespaces, pods and volumes."""
        volumes = sorted(self._mounted.mounted(), key=lambda one: (one.namespace, one.pod, one.name))
        if not volumes:
            return ()
        asked = {volume.content: self._ask(volume) for volume in volumes}
        await asyncio.wait(asked.values(), timeout=self._patience)
        return [self._reading(volume, asked[volume.content]) for volume in volumes]

    async def close(self) -> None:
        """Wait for no answer any more."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    def _ask(self, volume: MountedVolume) -> asyncio.Task[Usage]:
        key = volume.content
        if key not in self._asked:
            task = self._asked[key] = asyncio.create_task(self._usage(volume), name=f"usage of {volume.handle}")
            task.add_done_callback(lambda ended: self._ended(key, ended))
        return self._asked[key]

    def _ended(self, key: tuple[str, str], task: asyncio.Task[Usage]) -> None:
        """A failure nobody waits for any more is not worth a word: the volume was reported silent."""
        del self._asked[key]
        if not task.cancelled():
            task.exception()

    async def _usage(self, volume: MountedVolume) -> Usage:
        if volume.is_in_tree:
            return await in_own_thread(None, usage_of, volume.path)
        driver = self._driver_of(volume.driver)
        if driver is None:
            raise StorageError("UNAVAILABLE", f"driver {volume.driver} is not there")
        if Ability.STATS not in driver.abilities:
            return await in_own_thread(None, usage_of, volume.path)
        return await driver.stats(volume.handle, volume.path)

    def _reading(self, volume: MountedVolume, task: asyncio.Task[Usage]) -> Reading:
        if not task.done():
            return Reading(volume, None, f"does not answer for {self._patience:g} s")
        error = task.exception()
        if isinstance(error, StorageError):
            return Reading(volume, None, error.message)
        if isinstance(error, OSError):
            return Reading(volume, None, error.strerror or str(error))
        return Reading(volume, None, repr(error)) if error is not None else Reading(volume, task.result())


def usage_of(path: Path) -> Usage:
    """What the kernel tells of the file system at `path`. Blocks. Raises OSError."""
    found = os.statvfs(path)
    block = found.f_frsize
    return Usage(
        capacity=found.f_blocks * block,
        used=(found.f_blocks - found.f_bfree) * block,
        available=found.f_bavail * block,
        inodes=found.f_files or None,
        inodes_used=found.f_files - found.f_ffree if found.f_files else None,
        inodes_free=found.f_ffree if found.f_files else None,
    )
