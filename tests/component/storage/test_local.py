"""The local driver on this machine's kernel: images, loop devices, mounts."""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from skerry.engine import loop_devices
from skerry.engine.storage.contract import StorageError, Use, VolumeSource
from skerry.engine.storage.drivers.local import filesystems
from tests.component.storage.local import MIB, Local, running_local
from tests.support.waiting import until

pytestmark = pytest.mark.root


@pytest_asyncio.fixture
async def local(tmp_path: Path) -> AsyncIterator[Local]:
    async with running_local(tmp_path) as running:
        yield running


def stored_until_full(directory: Path) -> int:
    """Bytes that fit."""
    file = directory / "filler"
    subprocess.run(["dd", "if=/dev/zero", f"of={file}", "bs=1M", "oflag=direct"], capture_output=True, check=False)
    return file.stat().st_size


async def test_a_volume_holds_what_was_asked_for_and_not_much_more(local: Local) -> None:
    for fs_type in ("ext4", "xfs"):
        await local.create(fs_type, 60 * MIB, fsType=fs_type)
        point = await local.mounted(fs_type)
        assert os.listdir(point) == []
        assert point.stat().st_mode & 0o777 == 0o777
        assert 60 * MIB <= stored_until_full(point) < 70 * MIB
        used = await local.driver.stats(fs_type, point)
        assert (used.available or 0) < MIB
        (point / "filler").unlink()
    await until(lambda: _allocated(local.root / "pool/volumes") < 40 * MIB, "deleted data return to the pool")


def _allocated(directory: Path) -> int:
    os.sync()
    return sum(file.stat().st_blocks * 512 for file in directory.rglob("*.img"))


async def test_data_snapshots_clones_and_growth(local: Local) -> None:
    """One volume through its life, while it is mounted and written."""
    await local.create("first", 40 * MIB, fsType="xfs")
    point = await local.mounted("first")
    (point / "poem").write_text("before")
    taken = await local.driver.snapshot("shot", "first", {}, {})
    assert (taken.volume, taken.size) == ("first", 40 * MIB)
    (point / "poem").write_text("after")
    assert await local.driver.snapshot("shot", "first", {}, {}) == taken

    stored_until_full(point)
    grown = await local.driver.expand("first", 80 * MIB, {})
    assert (grown.size, grown.on_node) == (80 * MIB, False)
    assert os.statvfs(point).f_bavail * 4096 > 35 * MIB
    (point / "filler").unlink()

    await local.create("restored", 90 * MIB, VolumeSource(snapshot="shot"))
    await local.create("cloned", 80 * MIB, VolumeSource(volume="first"))
    restored, cloned = await local.mounted("restored"), await local.mounted("cloned")
    assert ((restored / "poem").read_text(), (cloned / "poem").read_text()) == ("before", "after")
    assert os.statvfs(restored).f_bavail * 4096 > 85 * MIB

    local.again()  # what is there is found, whatever happened to the engine
    assert {one.handle: one.size // MIB for one in await local.driver.volumes()} == {
        "first": 80, "restored": 90, "cloned": 80,
    }  # fmt: skip
    with pytest.raises(StorageError, match="is mounted"):
        await local.driver.delete("first", {})
    for name in ("first", "restored", "cloned"):
        await local.unmounted(name)
        await local.driver.delete(name, {})
        await local.driver.delete(name, {})
    await local.driver.delete_snapshot("shot", {})
    assert await local.driver.snapshot_of("shot", {}) is None
    assert await local.driver.volumes() == []
    assert list(local.root.rglob("*.img")) == [local.root / "pool.img"]


async def test_a_device_volume_is_the_loop_device(local: Local) -> None:
    local.use = Use(("ReadWriteOnce",), block=True)
    await local.create("raw", 8 * MIB)
    point = await local.mounted("raw")
    assert point.is_block_device()
    with point.open("r+b", buffering=0) as device:
        device.write(b"x" * 4096)
        assert device.seek(0, os.SEEK_END) == 8 * MIB
    await local.driver.expand("raw", 16 * MIB, {})
    local.again()
    await local.mounted("raw")  # nothing is attached twice
    with point.open("rb", buffering=0) as device:
        assert device.read(1) == b"x"
        assert device.seek(0, os.SEEK_END) == 16 * MIB
    assert len(loop_devices.below(local.root)) == 2  # with the pool's
    await local.unmounted("raw")
    assert not point.exists()
    assert len(loop_devices.below(local.root)) == 1


async def test_without_snapshots_an_image_is_beside_the_pool(local: Local) -> None:
    await local.create("plain", 20 * MIB, snapshots="false")
    assert (local.root / "volumes/plain/plain.img").is_file()
    assert not (local.root / "pool.img").exists()
    with pytest.raises(StorageError, match='snapshots: "false"'):
        await local.driver.snapshot("shot", "plain", {}, {})
    with pytest.raises(StorageError, match="cannot be cloned"):
        await local.create("second", 20 * MIB, VolumeSource(volume="plain"))


async def test_a_pod_that_may_only_read_does(local: Local) -> None:
    await local.create("shared", 20 * MIB)
    writer = await local.mounted("shared")
    (writer / "data").write_text("seen")
    reader = local.directory / "reader"
    await local.publish("shared", reader, read_only=True)
    assert (reader / "data").read_text() == "seen"
    with pytest.raises(OSError, match="Read-only"):
        (reader / "more").write_text("refused")
    (writer / "more").write_text("still")


async def test_what_is_written_at_random_lies_together_and_what_is_not_written_stays_promised(local: Local) -> None:
    local.use = Use(("ReadWriteOnce",), block=True)
    await local.create("raw", 64 * MIB)
    pool, before = local.root / "pool.img", await local.driver.capacity({}) or 0
    taken = pool.stat().st_blocks * 512
    with (await local.mounted("raw")).open("r+b", buffering=0) as device:
        for block in range(0, 64 * MIB, MIB):  # one in each piece, from the end
            device.seek(63 * MIB - block)
            device.write(b"x" * 4096)
        os.fsync(device.fileno())
    image = local.root / "pool/volumes/raw/raw.img"
    assert image.stat().st_blocks * 512 >= 64 * MIB
    assert pool.stat().st_blocks * 512 < taken + 16 * MIB, "of the host it has what was written"
    assert before - 16 * MIB < (await local.driver.capacity({}) or 0) < before + 16 * MIB
    await local.unmounted("raw")


async def test_many_at_once_and_twice(local: Local) -> None:
    names = [f"pvc-{number}" for number in range(12)]
    await asyncio.gather(*(local.create(name, 16 * MIB) for name in names + names))
    assert sorted(one.handle for one in await local.driver.volumes()) == sorted(names)
    assert len({one.inode() for one in os.scandir(local.root / "pool/volumes")}) == 12
    with pytest.raises(StorageError, match="different"):
        await local.create("pvc-1", 32 * MIB)
    with pytest.raises(StorageError, match="can still be promised"):
        await local.create("vast", 2**50)
    assert (await local.driver.capacity({}) or 0) > 0


async def test_what_follows_a_mount_is_done_when_the_engine_died_before(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(point: Path) -> None:
        raise StorageError("UNAVAILABLE", "as when the engine is killed here")

    await local.create("half", 20 * MIB)
    with monkeypatch.context() as dying, pytest.raises(StorageError, match="killed here"):
        dying.setattr(filesystems, "open_to_all", dies)
        await local.mounted("half")
    local.again()
    assert (await local.mounted("half")).stat().st_mode & 0o777 == 0o777


async def test_a_device_is_found_without_an_entry_in_dev(
    local: Local, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.use = Use(("ReadWriteOnce",), block=True)
    await local.create("raw", 8 * MIB)
    await local.mounted("raw")
    (tmp_path / "dev").mkdir()
    with monkeypatch.context() as container:  # one that was made again, whose /dev is new
        container.setattr(loop_devices, "_DEVICES", tmp_path / "dev")
        found = loop_devices.find(local.root / "pool/volumes/raw/raw.img")
        assert found is not None
        assert found.is_block_device()


@pytest.mark.parametrize("fs_type", ["ext4", "xfs"])
async def test_volumes_of_every_size_have_room_for_it(local: Local, fs_type: str) -> None:
    for size in (1, 40, 100, 300, 1024, 10 * 1024, 20 * 1024):
        name = f"of-{size}"
        await local.create(name, size * MIB, fsType=fs_type, overcommit="1000")
        point = await local.mounted(name)
        room = os.statvfs(point).f_bavail * os.statvfs(point).f_frsize
        assert size * MIB <= room <= size * MIB * 1.03 + 24 * MIB, f"{size} MiB: {room / MIB:.1f}"


async def test_inodes_are_as_many_as_the_class_says(local: Local) -> None:
    await local.create("few", 40 * MIB, inodes="2000")
    await local.create("many", 40 * MIB, bytesPerInode="2048")
    few, many = await local.mounted("few"), await local.mounted("many")
    assert 2000 <= os.statvfs(few).f_files < 2600
    assert os.statvfs(many).f_files >= 20 * 1024


async def test_ext4_grows_at_its_next_mount_where_it_may_not_before(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filesystems, "may_grow_ext4", lambda: False)
    await local.create("old", 40 * MIB, fsType="ext4")
    point = await local.mounted("old")
    (point / "data").write_text("kept")
    grown = await local.driver.expand("old", 200 * MIB, {})
    assert (grown.size, grown.on_node) == (200 * MIB, not _may_resize())
    await local.unmounted("old")

    image = local.root / "pool/volumes/old/old.img"
    with image.open("rb") as checking:  # as when an engine died while e2fsck worked for it
        fcntl.flock(checking, fcntl.LOCK_EX)
        with pytest.raises(StorageError, match="still being checked"):
            await local.mounted("old")
    point = await local.mounted("old")
    assert os.listdir(point) == ["data"]
    assert os.statvfs(point).f_bavail * 4096 >= 190 * MIB


def _may_resize() -> bool:
    status = Path("/proc/self/status").read_text()
    return bool(int(status.split("CapEff:")[1].split()[0], 16) >> 24 & 1)
