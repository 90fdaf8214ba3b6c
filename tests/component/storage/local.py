"""A local driver of its own, in a directory of its own, and volumes of it mounted; nothing of it is left behind."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from skerry.engine import loop_devices, mounts
from skerry.engine.storage.contract import Publishing, Staging, Use, VolumeRequest, VolumeSource
from skerry.engine.storage.drivers.local.driver import LocalDriver
from tests.support.waiting import until

MIB = 2**20
NOTHING = VolumeSource()
WRITER = Use(("ReadWriteOnce",))


class Local:
    """One driver and the places its volumes are shown at."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.root = directory / "storage/local"
        self.driver = LocalDriver(self.root, "here")
        self.use = WRITER

    def again(self) -> None:
        """As after a restart of the engine: nothing is remembered."""
        self.driver = LocalDriver(self.root, "here")

    def request(self, name: str, size: int, source: VolumeSource = NOTHING, **parameters: str) -> VolumeRequest:
        return VolumeRequest(name, size, self.use, parameters, source=source, claim=("default", name))

    async def create(self, name: str, size: int, source: VolumeSource = NOTHING, **parameters: str) -> None:
        await self.driver.create(self.request(name, size, source, **parameters))

    async def mounted(self, name: str, use: Use | None = None) -> Path:
        """Staged and shown to a pod: where."""
        target = self.shown(name)
        await self.driver.stage(Staging(name, self.staged(name), use or self.use, {}, {}))
        await self.publish(name, target, use=use)
        return target

    async def publish(
        self, name: str, target: Path, *, read_only: bool = False, use: Use | None = None, pod: Mapping[str, str] = {}
    ) -> None:
        asked = Publishing(name, self.staged(name), target, use or self.use, read_only, {}, {})
        await self.driver.publish(replace(asked, pod=pod))

    async def unmounted(self, name: str) -> None:
        await self.driver.unpublish(name, self.shown(name))
        await self.driver.unstage(name, self.staged(name))

    def staged(self, name: str) -> Path:
        return self._place("staged", name, make=True)

    def shown(self, name: str) -> Path:
        return self._place("shown", name, make=False)

    def _place(self, sort: str, name: str, *, make: bool) -> Path:
        place = self.directory / sort / name
        (place if make else place.parent).mkdir(parents=True, exist_ok=True)
        return place


@contextlib.asynccontextmanager
async def running_local(directory: Path) -> AsyncIterator[Local]:
    """A driver below an empty directory; mounts and loop devices are taken back and gone afterwards."""
    try:
        yield Local(directory)
    finally:
        take_down(directory)
        await until(lambda: not loop_devices.below(directory), "no loop device is left")


def take_down(directory: Path) -> None:
    """What the end of a mount namespace does."""
    mounts.unmount_below(directory)
    for one in loop_devices.below(directory):
        loop_devices.free(one.device)


def made(image: Path, mebibytes: int, *command: str) -> Path:
    """A file with a file system."""
    image.touch()
    os.truncate(image, mebibytes * MIB)
    subprocess.run([*command, str(image)], check=True, stdout=subprocess.DEVNULL)
    return image


@contextlib.contextmanager
def mounted_disk(image: Path, point: Path, kind: str) -> Iterator[Path]:
    """A file as a machine's disk."""
    point.mkdir()
    with loop_devices.attached(image) as device:
        mounts.mount(str(device), point, kind)
    try:
        yield point
    finally:
        take_down(point)
        mounts.unmount(point)
