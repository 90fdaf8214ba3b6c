"""The API on a disk that fills up: writes are refused with a Status that says so, reads go on, room is all it needs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.engine.store.limits import Limits
from skerry.engine.store.sqlite import SqliteStore
from skerry.kube.errors import InsufficientStorage
from skerry.kube.http_client import HttpClient
from skerry.kube.resources import CONFIG_MAPS
from tests.support.api import running_api

pytestmark = pytest.mark.root
MIB = 1 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "skerry-test", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


async def test_writes_are_refused_until_there_is_room(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * MIB)
    store = await SqliteStore.open(small_disk / "store.db", Limits(wal_bytes=MIB))
    async with running_api(store=store) as api, HttpClient.from_kubeconfig(api.kubeconfig) as client:
        made = 0
        with pytest.raises(InsufficientStorage, match="could not be made durable") as refused:
            while made < 1000:
                await client.create(CONFIG_MAPS, config_map(made), "default")
                made += 1
        assert refused.value.code == 507
        assert made > 10
        listed = await client.list(CONFIG_MAPS, "default")
        assert len(listed.items) == made
        assert (await client.get(CONFIG_MAPS, "c-0", "default"))["data"]

        ballast.unlink()
        await client.create(CONFIG_MAPS, config_map(made), "default")
        async with client.watch(CONFIG_MAPS, "default", resource_version=listed.resource_version) as events:
            async for event in events:
                assert (event.type, event.object["metadata"]["name"]) == ("ADDED", f"c-{made}")
                break


def config_map(number: int) -> dict[str, object]:
    return {"metadata": {"name": f"c-{number}"}, "data": {"text": "x" * 50_000}}
