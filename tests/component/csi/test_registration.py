"""Drivers come and go at this node as with a kubelet; the API is told of them as the node itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.storage.contract import Ability, Driver, StorageError
from skerry.engine.storage.csi.driver_objects import CONTROLLER_ANNOTATION
from skerry.engine.storage.csi.kubelet_directory import KubeletDirectory
from skerry.engine.storage.csi.registration.controller import Registration
from skerry.engine.storage.csi.registration.node_objects import NodeObjects
from skerry.engine.storage.registry import Drivers
from skerry.kube.client import Client
from skerry.kube.errors import Conflict, NotFound
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj
from skerry.kube.resources import CSI_DRIVERS, CSI_NODES, NODES
from tests.component.csi.running import DriverProcess, running_driver
from tests.support.api import running_api
from tests.support.csi_driver import NAME, TOPOLOGY
from tests.support.waiting import until

NODE = "node"
HOSTNAME = "kubernetes.io/hostname"
OURS = {"name": "local.storage.skerry.dev", "nodeID": NODE, "topologyKeys": [HOSTNAME]}
THEIRS = {"name": NAME, "nodeID": "machine-1", "topologyKeys": [TOPOLOGY], "allocatable": {"count": 7}}


@dataclass
class World:
    """A node without pods: its drivers and what the API knows of them."""

    client: Client
    drivers: Drivers
    registry: Path

    async def listed(self) -> list[Obj]:
        """The drivers of the CSINode."""
        try:
            return list((await self.client.get(CSI_NODES, NODE))["spec"]["drivers"])
        except NotFound:
            return []

    async def until_listed(self, *entries: Obj) -> None:
        """Wait for exactly these."""

        async def as_wanted() -> bool:
            return await self.listed() == list(entries)

        await until(as_wanted, f"a CSINode with {entries}")


@asynccontextmanager
async def registering(folder: Path) -> AsyncIterator[World]:
    """A node's registration, with one driver of the engine's own."""
    directory = KubeletDirectory(folder / "kubelet")
    directory.registry.mkdir(parents=True)
    async with running_api() as api:
        await api.client.create(NODES, {"metadata": {"name": NODE, "labels": {HOSTNAME: NODE}}})
        informers, drivers = Informers(api.client), Drivers()
        await api.client.create(CSI_DRIVERS, {"metadata": {"name": OURS["name"]}, "spec": {}})
        kubelet = api.server.client(f"system:node:{NODE}", "system:nodes")
        registration = Registration(NODE, kubelet, informers, drivers, directory)
        await informers.start()
        registration.start()
        try:
            yield World(api.client, drivers, directory.registry)
        finally:
            await registration.close()
            await informers.close()


def told(driver: DriverProcess) -> Obj:
    """What node-driver-registrar was told."""
    said: Obj = json.loads((driver.state / "registration.json").read_text())
    return said


async def test_a_driver_comes_is_killed_comes_back_and_goes(folder: Path) -> None:
    async with registering(folder) as world:
        await world.until_listed(OURS)
        socket = world.registry / "directories-reg.sock"
        async with running_driver(folder / "a", "--register", str(socket)) as process:
            await until(lambda: told(process)["registered"], "a registered driver")
            assert await world.listed() == [THEIRS, OURS]
            node = await world.client.get(NODES, NODE)
            assert node["metadata"]["labels"][TOPOLOGY] == "machine-1"
            assert json.loads(node["metadata"]["annotations"]["csi.volume.kubernetes.io/nodeid"]) == {NAME: "machine-1"}
            driver = world.drivers.get(NAME)
            assert driver is not None
            assert driver.abilities == {Ability.STAGE, Ability.STATS, Ability.BLOCK, Ability.GROUP, Ability.ATTACH}

            declared = {"metadata": {"name": NAME}, "spec": {"attachRequired": False}}
            await world.client.create(CSI_DRIVERS, declared)
            await until(lambda: Ability.ATTACH not in _abilities(world), "attachRequired: false")
            annotations = {CONTROLLER_ANNOTATION: "engine"}
            await world.client.patch(CSI_DRIVERS, NAME, {"metadata": {"annotations": annotations}})
            await until(lambda: Ability.PROVISION in _abilities(world), "the engine as its controller")

            await process.kill()
            with pytest.raises(StorageError) as nobody:
                await _known(world).volumes()
            assert nobody.value.code == "UNAVAILABLE"
            assert await world.listed() == [THEIRS, OURS]  # its volumes are mounted still
            (process.state / "registration.json").unlink()
            before = _known(world)
            await process.start()
            await until(lambda: told(process)["registered"], "a registration anew")
            assert _known(world) is not before
            assert await _known(world).volumes() == []

            socket.unlink()
            await world.until_listed(OURS)
            assert world.drivers.get(NAME) is None


async def test_a_driver_that_hangs_keeps_nobody_waiting_and_is_tried_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a bare driver, without a registrar, is one too."""
    monkeypatch.setattr("skerry.engine.storage.csi.facts._INFO_PATIENCE", 0.5)
    async with registering(folder) as world:
        hanging = DriverProcess(folder / "b", "--name", "b.csi.test", "--register", str(world.registry / "b.sock"))
        hanging.state.mkdir(parents=True)
        hanging.misbehave(NodeGetInfo="hang")
        await hanging.start()
        bare = DriverProcess(folder / "c", "--name", "c.csi.test")
        bare.socket = world.registry / "c.sock"
        await bare.start()
        try:
            entries = [{**THEIRS, "name": "c.csi.test"}, OURS]
            await world.until_listed(*entries)
            await until(lambda: "the driver did not answer in time" in told(hanging)["error"], "a refused registration")
            hanging.misbehave()
            await world.until_listed({**THEIRS, "name": "b.csi.test"}, *entries)
            await until(lambda: told(hanging)["registered"], "a registered driver")
        finally:
            await asyncio.gather(hanging.kill(), bare.kill())


async def test_a_driver_that_goes_is_taken_from_the_node_even_if_the_api_fails_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [Conflict("as the test wants it")]
    tell = NodeObjects.tell

    async def failing_once(*arguments: Any) -> None:
        if failures:
            raise failures.pop()
        await tell(*arguments)

    async with registering(folder) as world:
        socket = world.registry / "reg.sock"
        async with running_driver(folder / "a", "--register", str(socket)) as process:
            await until(lambda: told(process)["registered"], "a registered driver")
            monkeypatch.setattr(NodeObjects, "tell", failing_once)
            socket.unlink()
            await world.until_listed(OURS)
            assert not failures


async def test_a_driver_that_contradicts_the_nodes_labels_is_refused(folder: Path) -> None:
    async with registering(folder) as world:
        await world.client.patch(NODES, NODE, {"metadata": {"labels": {TOPOLOGY: "elsewhere"}}})
        socket = world.registry / "reg.sock"
        async with running_driver(folder / "a", "--register", str(socket)) as process:
            await until(lambda: "topology value collision" in told(process)["error"], "a refusal")
            assert world.drivers.get(NAME) is None


def _known(world: World) -> Driver:
    driver = world.drivers.get(NAME)
    assert driver is not None
    return driver


def _abilities(world: World) -> frozenset[Ability]:
    return _known(world).abilities
