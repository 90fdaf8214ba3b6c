"""A filled volume is handed over to a project's claim, with the engine's own provisioner, releaser and binder at work:
whenever it is cut short, it goes on, and the data is never deleted on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest

from skerry.cli.projects.kept import Archive
from skerry.cli.projects.refilling import Refill, Refiller
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import NAMESPACES, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS
from skerry.kube.tasks import stop
from skerry.platform.projects.lifecycle.archiving.packing import ARCHIVES
from tests.support.storage import StorageWorld, claim, running_storage
from tests.support.waiting import until


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[StorageWorld]:
    async with running_storage(tmp_path / "volumes") as running:
        await running.client.create(NAMESPACES, {"metadata": {"name": ARCHIVES}})
        filling = asyncio.create_task(fill(running))
        yield running
        await stop(filling)


async def fill(storage: StorageWorld) -> None:
    """What the pods do: a file in the volume of their claim, and their end."""
    while True:
        for pod in (await storage.client.list(PODS, ARCHIVES)).items:
            if (pod.get("status") or {}).get("phase") == "Succeeded":
                continue
            wanted = await storage.client.get(PERSISTENT_VOLUME_CLAIMS, name_of(pod), ARCHIVES)
            if wanted["spec"].get("volumeName"):
                (storage.driver.root / wanted["spec"]["volumeName"] / "file").write_text("kept")
                done = {"status": {"phase": "Succeeded"}}
                await storage.client.patch(PODS, name_of(pod), done, ARCHIVES, subresource="status")
        await asyncio.sleep(0.01)


def wanted(name: str) -> Refill:
    entry = {"claim": f"default/{name}", "size": "2Gi", "sha256": "0" * 64}
    manifest = claim(name)
    manifest["metadata"]["namespace"] = "default"
    return Refill(Archive("lidar", "lidar-01234567", [], {f"kept-{name}": entry}, "image"), f"kept-{name}", manifest)


async def volume_of(storage: StorageWorld, name: str) -> tuple[Obj, Any]:
    found = await storage.client.get(PERSISTENT_VOLUME_CLAIMS, name, "default")
    assert found["status"]["phase"] == "Bound"
    return found, await storage.client.get(PERSISTENT_VOLUMES, found["spec"]["volumeName"])


async def test_it_has_its_data_and_goes_with_its_claim(storage: StorageWorld) -> None:
    refiller = Refiller(cast(HttpClient, storage.client))
    assert await refiller.refill(wanted("data"))
    found, volume = await volume_of(storage, "data")
    assert (volume["spec"]["persistentVolumeReclaimPolicy"], found["status"]["capacity"]) == (
        "Delete",
        {"storage": "2Gi"},
    )
    assert (storage.driver.root / name_of(volume) / "file").read_text() == "kept"
    assert not await refiller.refill(wanted("data")), "there is nothing more to do"
    assert (await storage.client.list(PERSISTENT_VOLUME_CLAIMS, ARCHIVES)).items == []
    await storage.client.delete(PERSISTENT_VOLUME_CLAIMS, "data", "default")
    await until(lambda: storage.driver.names == [], "its data goes with the claim, as before")


async def test_whenever_it_is_cut_short_it_goes_on(storage: StorageWorld) -> None:
    refiller = Refiller(cast(HttpClient, storage.client))
    for number in range(12):
        task = asyncio.create_task(refiller.refill(wanted(f"data-{number}")))
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(task, number * 0.02)
        await refiller.refill(wanted(f"data-{number}"))
        _, volume = await volume_of(storage, f"data-{number}")
        assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    assert [call for call, _ in storage.driver.calls].count("delete") == 0
    assert len(storage.driver.names) == 12
