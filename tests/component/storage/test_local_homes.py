"""Where images of local volumes live: on file systems that share blocks, in pools of both kinds, or on neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.engine.storage.contract import StorageError, VolumeSource
from skerry.engine.storage.drivers.local import homes
from tests.component.storage.local import MIB, Local, made, mounted_disk, running_local

pytestmark = pytest.mark.root
MKFS = {
    "xfs": ("mkfs.xfs", "-q", "-f", "-K", "-s", "size=4096"),
    "btrfs": ("mkfs.btrfs", "-q", "-f", "-K"),
}


async def snapshots_work(local: Local) -> None:
    await local.create("first", 40 * MIB)
    point = await local.mounted("first")
    (point / "poem").write_text("before")
    await local.driver.snapshot("shot", "first", {}, {})
    (point / "poem").write_text("after")
    await local.create("restored", 40 * MIB, VolumeSource(snapshot="shot"))
    assert (await local.mounted("restored") / "poem").read_text() == "before"


@pytest.mark.parametrize("kind", ["xfs", "btrfs"])
async def test_a_disk_that_shares_blocks_needs_no_pool(tmp_path: Path, kind: str) -> None:
    disk = made(tmp_path / "disk.img", 2048, *MKFS[kind])
    with mounted_disk(disk, tmp_path / "disk", kind) as place:
        local = Local(place)
        await snapshots_work(local)
        assert (local.root / "volumes/first/first.img").is_file()
        assert not (local.root / "pool.img").exists()


async def test_a_kernel_without_xfs_has_a_pool_of_btrfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = {"xfs": (("mkfs.none",), "none", ""), "btrfs": homes._KINDS["btrfs"]}
    monkeypatch.setattr(homes, "_KINDS", without)
    async with running_local(tmp_path) as local:
        await snapshots_work(local)
        local.again()
        assert {one.handle for one in await local.driver.volumes()} == {"first", "restored"}


async def test_without_either_volumes_are_there_and_snapshots_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(homes, "_KINDS", {"xfs": (("mkfs.none",), "none", "")})
    async with running_local(tmp_path) as local:
        await local.create("plain", 20 * MIB)
        (await local.mounted("plain") / "data").write_text("kept")
        with pytest.raises(StorageError, match=r"no pool.*xfs: mkfs.none is missing"):
            await local.driver.snapshot("shot", "plain", {}, {})
        assert [entry.name for entry in local.root.iterdir() if "pool" in entry.name and entry.is_file()] == []
