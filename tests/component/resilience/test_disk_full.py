"""The API on a disk that fills up: writes are refused with a Status that says so, reads go on, room is all it needs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.heartbeat import Heartbeat, Measures
from skerry.engine.node.machine import Pressure, read_machine
from skerry.engine.node.pressure.watch import PressureWatch
from skerry.engine.store.limits import Limits
from skerry.engine.store.sqlite import SqliteStore
from skerry.kube.errors import InsufficientStorage
from skerry.kube.http_client import HttpClient
from skerry.kube.resources import CONFIG_MAPS, NODES, PODS
from tests.support.api import RunningApi, running_api
from tests.support.small_disk import small_disk
from tests.support.waiting import until

pytestmark = pytest.mark.root
MIB = 1 << 20
LIMITS = Limits(wal_bytes=MIB, reserve_bytes=MIB // 2)
PLENTY = Pressure(1 << 30, 0.5, 30000)
POD = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", mebibytes=8) as mounted:
        yield mounted


async def test_writes_are_refused_until_there_is_room(disk: Path) -> None:
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * MIB)
    store = await SqliteStore.open(disk / "store.db", LIMITS)
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


class Runtime:
    """A container runtime that is well."""

    async def list_images(self) -> tuple[()]:
        return ()

    async def version(self) -> pb.VersionResponse:
        return pb.VersionResponse(runtime_name="containerd", runtime_version="1.6")

    async def status(self) -> pb.RuntimeStatus:
        return pb.RuntimeStatus()


@asynccontextmanager
async def reporting_node(api: RunningApi, disk: Path) -> AsyncIterator[None]:
    """The node's heartbeat, on a runtime that is well."""
    config, client = api.server.config, api.server.client("system:node:node", "system:nodes")
    pressure = PressureWatch(lambda: PLENTY, config.clock)
    measures = Measures(read_machine(disk), pressure, lambda: api.store.trouble)
    heartbeat = Heartbeat(config, client, Runtime(), measures)  # type: ignore[arg-type]
    await heartbeat.start()
    api.store.on_trouble = heartbeat.check_now
    yield
    await heartbeat.close()


async def store_is_full(client: HttpClient) -> str:
    """The node's condition, as a client sees it."""
    node = await client.get(NODES, "node")
    (status,) = (one["status"] for one in node["status"]["conditions"] if one["type"] == "StoreFull")
    return str(status)


async def fill(client: HttpClient, first: int, full: asyncio.Event) -> None:
    """Create until it is refused, and go on trying until the test has seen what it wanted."""
    number = first
    while not full.is_set():
        try:
            await client.create(CONFIG_MAPS, config_map(number), "default")
        except InsufficientStorage:
            continue
        number += 1


async def test_the_node_says_so_while_others_go_on_writing(disk: Path) -> None:
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * MIB)
    store = await SqliteStore.open(disk / "store.db", LIMITS)
    async with (
        running_api(store=store) as api,
        HttpClient.from_kubeconfig(api.kubeconfig) as client,
        reporting_node(api, disk),
    ):
        assert await store_is_full(client) == "False"
        await client.create(PODS, POD, "default")
        seen = asyncio.Event()
        writers = [asyncio.create_task(fill(client, first, seen)) for first in (0, 10_000, 20_000)]

        async def said() -> bool:
            return await store_is_full(client) == "True"

        await until(said, "the condition")
        seen.set()
        await asyncio.gather(*writers)
        with pytest.raises(InsufficientStorage):
            await client.create(CONFIG_MAPS, {"metadata": {"name": "small"}}, "default")
        await client.patch(PODS, "p", {"metadata": {"labels": {"a": "b"}}}, "default")
        await client.delete(PODS, "p", "default", {"gracePeriodSeconds": 0})
        await client.delete(CONFIG_MAPS, "c-0", "default")

        ballast.unlink()
        await client.create(CONFIG_MAPS, {"metadata": {"name": "small"}}, "default")

        async def over() -> bool:
            return not await said()

        await until(over, "the condition's end")


async def test_a_start_without_room_takes_what_ends_the_trouble_only(disk: Path, tmp_path: Path) -> None:
    store = await SqliteStore.open(disk / "store.db", LIMITS)
    async with running_api(store=store, folder=tmp_path) as api:
        await api.client.create(CONFIG_MAPS, config_map(0), "default")
    (disk / "store.db-reserve").unlink()
    ballast = disk / "ballast"
    left = os.statvfs(disk)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, left.f_bavail * left.f_frsize - MIB // 4)
    store = await SqliteStore.open(disk / "store.db", LIMITS)
    assert store.trouble
    async with running_api(store=store, folder=tmp_path) as api:
        with pytest.raises(InsufficientStorage):
            await api.client.create(CONFIG_MAPS, {"metadata": {"name": "new"}}, "default")
        await api.client.delete(CONFIG_MAPS, "c-0", "default")
        ballast.unlink()
        await api.client.create(CONFIG_MAPS, {"metadata": {"name": "new"}}, "default")
        assert not store.trouble


def config_map(number: int) -> dict[str, object]:
    return {"metadata": {"name": f"c-{number}"}, "data": {"text": "x" * 50_000}}
