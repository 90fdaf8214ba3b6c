"""Volumes in memory and existing data, really mounted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from skerry.engine.storage.contract import Publishing, Staging, StorageError, Use, VolumeRequest
from skerry.engine.storage.drivers.dataset import DatasetDriver
from skerry.engine.storage.drivers.memory import MemoryDriver
from tests.component.storage.local import MIB, WRITER, take_down

pytestmark = pytest.mark.root


@pytest.fixture(autouse=True)
def _nothing_stays(tmp_path: Path) -> Iterator[None]:
    yield
    take_down(tmp_path)


def shown(handle: str, directory: Path, name: str, context: dict[str, str] | None = None) -> Publishing:
    return Publishing(handle, directory / "staged", directory / name, WRITER, False, context or {}, {})


async def test_memory_is_bounded_and_outlives_pods_and_the_engine(tmp_path: Path) -> None:
    driver = MemoryDriver(tmp_path / "memory", "here")
    limited = {"limit": "20Mi"}
    await driver.create(VolumeRequest("pvc-1", 4 * MIB, WRITER, limited))
    await driver.create(VolumeRequest("pvc-1", 4 * MIB, WRITER, limited))
    with pytest.raises(StorageError, match="16 MiB can still be promised"):
        await driver.create(VolumeRequest("pvc-2", 17 * MIB, WRITER, limited))
    (tmp_path / "staged").mkdir()
    await driver.stage(Staging("pvc-1", tmp_path / "staged", WRITER, {}, {}))
    await driver.publish(shown("pvc-1", tmp_path, "first"))
    assert (tmp_path / "first").stat().st_mode & 0o777 == 0o777
    with pytest.raises(OSError, match="No space"):
        (tmp_path / "first/large").write_bytes(bytes(5 * MIB))
    await driver.expand("pvc-1", 6 * MIB, {})
    (tmp_path / "first/large").write_bytes(bytes(5 * MIB))
    assert (await driver.stats("pvc-1", tmp_path / "first")).capacity == 6 * MIB
    with pytest.raises(StorageError, match="can still be promised"):
        await driver.expand("pvc-1", 21 * MIB, {})

    await driver.unpublish("pvc-1", tmp_path / "first")
    await driver.unstage("pvc-1", tmp_path / "staged")
    driver = MemoryDriver(tmp_path / "memory", "here")
    await driver.stage(Staging("pvc-1", tmp_path / "staged", WRITER, {}, {}))
    assert os.listdir(tmp_path / "staged") == ["large"]
    assert [(one.handle, one.size) for one in await driver.volumes()] == [("pvc-1", 6 * MIB)]
    assert await driver.capacity(limited) == 14 * MIB
    await driver.unstage("pvc-1", tmp_path / "staged")
    await driver.delete("pvc-1", {})
    await driver.delete("pvc-1", {})
    assert os.listdir(tmp_path / "memory") == []


async def test_mount_options_of_memory_hold_also_when_it_grows(tmp_path: Path) -> None:
    driver, staged = MemoryDriver(tmp_path / "memory", "here"), tmp_path / "staged"
    await driver.create(VolumeRequest("pvc-1", MIB, WRITER))
    staged.mkdir()
    unknown = replace(WRITER, mount_options=("noexec", "size=1g"))
    with pytest.raises(StorageError, match="cannot have the mount option size=1g"):
        await driver.stage(Staging("pvc-1", staged, unknown, {}, {}))
    known = replace(WRITER, mount_options=("noexec", "ro"))
    for _ in range(2):
        await driver.stage(Staging("pvc-1", staged, known, {}, {}))
    await driver.publish(shown("pvc-1", tmp_path, "pod"))
    await driver.expand("pvc-1", 2 * MIB, {})
    flags = os.statvfs(tmp_path / "pod").f_flag
    assert flags & os.ST_NOEXEC
    assert flags & os.ST_NOSUID
    assert flags & os.ST_RDONLY


async def test_pods_read_a_dataset_and_cannot_change_it(tmp_path: Path) -> None:
    data = tmp_path / "era5"
    data.mkdir()
    (data / "1979.nc").write_text("wind")
    driver = DatasetDriver((tmp_path / "own",), "here")
    made = await driver.create(VolumeRequest("pvc-1", MIB, Use(("ReadOnlyMany",)), {"path": str(data)}))
    for _ in range(2):  # the same call again finds its work done
        await driver.publish(shown("pvc-1", tmp_path, "pod", dict(made.context)))
    assert (tmp_path / "pod/1979.nc").read_text() == "wind"
    with pytest.raises(OSError, match="Read-only"):
        (tmp_path / "pod/1979.nc").write_text("rain")
    await driver.unpublish("pvc-1", tmp_path / "pod")
    assert not (tmp_path / "pod").exists()
    assert (data / "1979.nc").read_text() == "wind"
