"""Who may claim which data: decisions of the dataset driver."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.engine.storage.contract import Publishing, StorageError, Use, VolumeRequest, VolumeSource
from skerry.engine.storage.drivers.dataset import DatasetDriver, parse_nodes

READERS = Use(("ReadOnlyMany",))


def request(path: str, use: Use = READERS, **parameters: str) -> VolumeRequest:
    return VolumeRequest("pvc-1", 2**30, use, {"path": path, **parameters})


@pytest.fixture
def driver(tmp_path: Path) -> DatasetDriver:
    (tmp_path / "era5").mkdir()
    (tmp_path / "skerry/data").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "skerry/data")
    return DatasetDriver((tmp_path / "skerry/data",), "here")


async def test_a_volume_stands_for_the_data(driver: DatasetDriver, tmp_path: Path) -> None:
    made = await driver.create(request(f"{tmp_path}/era5"))
    assert (made.handle, made.size, dict(made.context)) == ("pvc-1", 2**30, {"path": f"{tmp_path}/era5"})
    assert made.nodes == ({"kubernetes.io/hostname": "here"},)
    await driver.delete("pvc-1", {})
    assert (tmp_path / "era5").is_dir()


async def test_data_of_other_machines_are_where_the_class_says(driver: DatasetDriver) -> None:
    made = await driver.create(request("/nowhere/here", nodes="disk=big, site=kit; kubernetes.io/hostname=gpu1"))
    assert made.nodes == ({"disk": "big", "site": "kit"}, {"kubernetes.io/hostname": "gpu1"})
    for wrong in ("disk", "=x", "a=b=c d"):
        with pytest.raises(StorageError, match="parameter nodes"):
            parse_nodes(wrong)


@pytest.mark.parametrize("place", ["skerry/data", "skerry", "link", "skerry/data/../..", ""])
async def test_what_the_instance_keeps_is_no_dataset(driver: DatasetDriver, tmp_path: Path, place: str) -> None:
    with pytest.raises(StorageError) as refused:
        await driver.create(request(f"{tmp_path}/{place}".rstrip("/")))
    assert refused.value.code == "INVALID_ARGUMENT"


async def test_what_a_dataset_cannot_be_is_refused_by_name(driver: DatasetDriver, tmp_path: Path) -> None:
    era5 = f"{tmp_path}/era5"
    source = VolumeRequest("pvc-1", 1, READERS, {"path": era5}, source=VolumeSource(volume="pvc-2"))
    for asked, message in (
        (request(era5, Use(("ReadWriteMany",))), "claim it ReadOnlyMany"),
        (request(era5, Use(("ReadOnlyMany",), block=True)), "volumeMode Block"),
        (request(era5, colour="blue"), "unknown parameter colour"),
        (request(f"{tmp_path}/era6"), "no directory of node here"),
        (request("era5"), "not absolute"),
        (VolumeRequest("pvc-1", 1, READERS), "needs the parameter path"),
        (source, "dataSource"),
    ):
        with pytest.raises(StorageError, match=message):
            await driver.create(asked)


async def test_who_writes_a_pod_cannot_name_a_directory_of_the_machine(driver: DatasetDriver, tmp_path: Path) -> None:
    context = {"path": f"{tmp_path}/era5", "csi.storage.k8s.io/ephemeral": "true"}
    asked = Publishing("csi-1", tmp_path / "staged", tmp_path / "target", READERS, True, context, {})
    with pytest.raises(StorageError, match="claim it by its StorageClass"):
        await driver.publish(asked)
    assert not (tmp_path / "target").exists()
