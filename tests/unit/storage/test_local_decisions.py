"""What the local driver decides without a mount: parameters, sizes, room, records."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.drivers import handles, mount_options
from skerry.engine.storage.drivers.local import parameters, records, sizing
from skerry.engine.storage.drivers.local.records import Record
from skerry.engine.storage.drivers.local.room import Room, owed_by_pool, require
from skerry.engine.storage.drivers.local.volumes import LocalVolumes
from skerry.engine.storage.drivers.memory import MemoryDriver

GIB = 2**30
KEPT = Record("pvc-1", GIB, "ext4", 0.0)


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"size": "1"}, "unknown parameter size: known are bytesPerInode, fsType, inodes, overcommit, snapshots"),
        ({"fsType": "ntfs"}, "fsType ntfs is not supported: ext4 or xfs"),
        ({"snapshots": "no"}, 'parameter snapshots is "true" or "false", not "no"'),
        ({"inodes": "10", "bytesPerInode": "4096"}, "exclude each other"),
        ({"inodes": "many"}, "parameter inodes is a whole number"),
        ({"inodes": "1000", "fsType": "xfs"}, "are for ext4"),
        ({"overcommit": "0.5"}, "parameter overcommit is a factor from 1"),
        ({"overcommit": "nan"}, "parameter overcommit is a factor from 1"),
    ],
)
def test_parameters_that_mean_nothing_are_refused_by_name(given_: dict[str, str], message: str) -> None:
    with pytest.raises(StorageError, match=message) as refused:
        parameters.read(given_)
    assert refused.value.code == "INVALID_ARGUMENT"


def test_parameters_are_read() -> None:
    assert parameters.read({}).fs_type == ""
    assert parameters.read({}, "xfs").fs_type == "xfs"
    assert parameters.read({"inodes": "1000"}).fs_type == "ext4"
    read = parameters.read({"fsType": "ext4", "snapshots": "false", "bytesPerInode": "4096", "overcommit": "2.5"})
    assert (read.fs_type, read.snapshots, read.bytes_per_inode, read.overcommit) == ("ext4", False, 4096, 2.5)


@given(st.integers(2**20, 2**44), st.sampled_from(["ext4", "xfs", ""]))
def test_an_image_is_larger_than_what_is_asked_for_but_by_little(size: int, fs_type: str) -> None:
    length = sizing.image_size(size, fs_type)
    assert length % 2**20 == 0
    assert size <= length <= size * 1.04 + 120 * 2**20
    assert sizing.image_size(size + 2**26, fs_type) >= length


def test_promises_fit_in_what_is_free() -> None:
    room = Room(free=100 * GIB, reserve=20 * GIB, owed=30 * GIB, volumes=3, snapshots=1)
    require(room, 50 * GIB, 1.0, "a volume")
    with pytest.raises(StorageError, match=r"needs 51.0 GiB, 50.0 GiB can.*3 volumes and 1 snap.*30.0"):
        require(room, 51 * GIB, 1.0, "a volume")
    require(room, 130 * GIB, 2.0, "a volume")
    assert Room(GIB, 2 * GIB, 0, 0, 0).left(1.0) == 0


def test_a_pool_owes_what_its_host_has_not_given_yet() -> None:
    length = 250 * GIB
    assert owed_by_pool(30 * GIB, length, 0) == 30 * GIB
    assert owed_by_pool(30 * GIB, length, length // 512) == 30 * GIB, "the pool's own log is no data"
    assert owed_by_pool(30 * GIB, length, 10 * GIB + length // 512) == 20 * GIB
    assert owed_by_pool(30 * GIB, length, 40 * GIB) == 0


@pytest.mark.parametrize("handle", ["", "..", "a/b", "../x", ".making-x", "a..b", "A", "x" * 250, "-"])
def test_no_handle_leads_elsewhere(handle: str) -> None:
    with pytest.raises(StorageError):
        handles.checked(handle)


def test_mount_options() -> None:
    assert mount_options.split(["noatime,commit=60", "ro"]) == (mount_options.ALWAYS | 1024 | 1, "commit=60")
    for option in ("suid", "dev", "remount", "loop=/dev/loop9"):
        with pytest.raises(StorageError, match="is not for volumes"):
            mount_options.split([option])


def test_a_record_is_there_completely_or_not_at_all(tmp_path: Path) -> None:
    def fails(image: Path) -> None:
        image.write_bytes(b"half")
        raise OSError("no")

    folder = tmp_path / "volumes/pvc-1"
    with pytest.raises(OSError, match="no"):
        records.make(folder, KEPT, fails)
    assert list(folder.parent.iterdir()) == []
    records.make(folder, KEPT, lambda image: image.write_bytes(b"data") and None)
    assert records.read(folder) == KEPT
    assert records.image_of(folder).read_bytes() == b"data"
    assert records.image_of(folder).stat().st_mode & 0o777 == 0o600
    assert [kept for _, kept in records.everything(folder.parent)] == [KEPT]


def test_what_a_crash_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    records.make(tmp_path / "pvc-1", KEPT, lambda image: None)
    for half in (".making-pvc-2", ".going-pvc-3"):
        (tmp_path / half).mkdir()
        (tmp_path / half / "pvc.img").touch()
    records.sweep_halves(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["pvc-1"]
    records.remove(tmp_path / "pvc-1")
    records.remove(tmp_path / "pvc-1")
    assert list(tmp_path.iterdir()) == []


async def test_a_spoilt_note_of_a_volume_in_memory_is_named(tmp_path: Path) -> None:
    (tmp_path / "pvc-1.size").touch()
    with pytest.raises(StorageError, match=r"pvc-1\.size cannot be read"):
        await MemoryDriver(tmp_path, "here").volumes()


def test_locks_of_volumes_last_as_long_as_somebody_has_them(tmp_path: Path) -> None:
    volumes = LocalVolumes(tmp_path)
    with volumes.alone("pvc-1"), volumes.alone("pvc-1"), volumes.alone("pvc-2"):
        assert len(volumes._locks) == 2
    assert not volumes._locks


def test_a_spoilt_record_is_told_not_taken_for_nothing(tmp_path: Path) -> None:
    records.make(tmp_path / "pvc-1", KEPT, lambda image: None)
    (tmp_path / "pvc-1/record.json").write_text("{")
    with pytest.raises(StorageError, match="cannot be read"):
        records.read(tmp_path / "pvc-1")
