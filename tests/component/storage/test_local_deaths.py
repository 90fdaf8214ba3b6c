"""The engine killed, and the power cut, at any moment: no half volume, no leaked device, no lost byte."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from skerry.engine import loop_devices
from skerry.engine.storage.drivers.local import reflinks
from tests.component.storage import worker
from tests.component.storage.local import MIB, Local, made, mounted_disk, running_local
from tests.support.waiting import until

pytestmark = pytest.mark.root
ROUNDS, STEPS = 8, 24
MOMENTS = 3
BLOCK = 4096


def killed_after(lines: int, directory: Path) -> None:
    """A worker that is killed when it has begun so many things."""
    command = [sys.executable, "-m", "tests.component.storage.worker", str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        begun = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        errors = process.communicate()[1]
    assert all(begun), errors


async def test_killed_at_any_moment(tmp_path: Path) -> None:
    chance = random.Random(5)  # the same moments every time, as far as a machine has the same
    async with running_local(tmp_path) as local:
        for _ in range(ROUNDS):
            await asyncio.to_thread(killed_after, chance.randint(1, STEPS), tmp_path)
            local.again()
            for one in await local.driver.volumes():  # what is there is whole
                point = await local.mounted(one.handle)
                assert os.statvfs(point).f_bavail * BLOCK >= 15 * MIB
        for name in worker.NAMES:
            await worker.life(local, name, -1)
        assert await local.driver.volumes() == []
        assert [path for path in local.root.rglob("*") if "-one" in path.name or "two" in path.name] == []
        await until(lambda: len(loop_devices.below(tmp_path)) == 1, "only the pool's device is left")


class Writer:
    """Writes numbered blocks, each on disk before it counts."""

    def __init__(self, file: Path) -> None:
        self.safe = 0
        self._file, self._ending = file, False
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending = True
        self._thread.join()

    def is_beyond(self, number: int) -> bool:
        return self.safe > number

    def _write(self) -> None:
        with self._file.open("wb", buffering=0) as file:
            while not self._ending:
                file.write(self.block(self.safe))
                os.fsync(file.fileno())
                self.safe += 1

    @staticmethod
    def block(number: int) -> bytes:
        return number.to_bytes(8, "big") * (BLOCK // 8)


@pytest.mark.parametrize("fs_type", ["ext4", "xfs"])
async def test_after_a_power_cut_everything_that_was_safe_is_there(tmp_path: Path, fs_type: str) -> None:
    """The disk below the data directory is copied at one moment, as a power cut would leave it."""
    shelf = made(tmp_path / "shelf.img", 8192, "mkfs.xfs", "-q", "-f", "-K", "-s", "size=4096")
    with mounted_disk(shelf, tmp_path / "shelf", "xfs") as place:
        disk = made(place / "disk.img", 6144, "mkfs.ext4", "-q", "-F", "-E", "nodiscard")
        with mounted_disk(disk, tmp_path / "machine", "ext4") as machine:
            local = Local(machine)
            await local.create("db", 200 * MIB, fsType=fs_type)
            safe = await _copies(await local.mounted("db") / "log", disk)
        for number, blocks in enumerate(safe):
            with mounted_disk(place / f"copy-{number}.img", tmp_path / f"copy-{number}", "ext4") as machine:
                found = (await Local(machine).mounted("db") / "log").read_bytes()
                assert len(found) // BLOCK >= blocks > 0
                for block in range(blocks):
                    assert found[block * BLOCK : (block + 1) * BLOCK] == Writer.block(block)


async def _copies(log: Path, disk: Path) -> list[int]:
    """Copies of the disk while `log` is written; how many blocks were safe before each."""
    safe: list[int] = []
    with Writer(log) as writer:
        for number in range(MOMENTS):
            await until(partial(writer.is_beyond, writer.safe + 20), "more is safe")
            copy = disk.parent / f"copy-{number}.img"
            copy.touch()
            safe.append(writer.safe)
            await asyncio.to_thread(reflinks.clone, disk, copy)
    return safe
