"""Containers wait for the rules of their pod's network; whoever makes the rules learns of every address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.pod_network import UnguardedNetwork
from skerry.kube.objects import Obj, name_of, uid_of
from tests.component.node.node import Node, container, phase, pod, ready
from tests.support.waiting import until

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="package")]


class HeldNetwork(UnguardedNetwork):
    """Notes what it is told; rules are in force when the test says so."""

    def __init__(self) -> None:
        self.in_force = asyncio.Event()
        self.addresses: dict[str, tuple[str, ...]] = {}

    def attached(self, pod: Obj, addresses: tuple[str, ...]) -> None:
        self.addresses[uid_of(pod)] = addresses

    def detached(self, uid: str) -> None:
        self.addresses.pop(uid, None)

    async def ready(self, uid: str) -> None:
        await self.in_force.wait()


@pytest_asyncio.fixture(loop_scope="package")
async def held(node: Node) -> AsyncIterator[HeldNetwork]:
    await node.stop()
    network = node.network = HeldNetwork()
    await node.start()
    yield network
    network.in_force.set()
    await node.stop()
    node.network = UnguardedNetwork()
    await node.start()


async def states(node: Node, uid: str) -> list[int]:
    found = await node.instance.cri.list_containers(labels={"io.kubernetes.pod.uid": uid})
    return [one.state for one in found]


async def test_a_container_is_created_and_waits_for_its_rules(node: Node, held: HeldNetwork) -> None:
    made = await node.create(pod("guarded"))
    uid = uid_of(made)

    async def created() -> bool:
        return await states(node, uid) == [pb.CONTAINER_CREATED]

    await until(created, "a container that waits")
    assert uid in held.addresses, "the rules are asked for before"
    held.in_force.set()
    running = await node.until("guarded", ready)
    assert held.addresses[uid] == tuple(one["ip"] for one in running["status"]["podIPs"])
    await node.delete("guarded", 0)
    await node.until_gone("guarded")
    await until(lambda: uid not in held.addresses, "an address given back")


async def test_a_pod_that_waits_for_its_rules_can_be_deleted(node: Node, held: HeldNetwork) -> None:
    made = await node.create(pod("impatient"))
    await until(lambda: uid_of(made) in held.addresses, "its address")
    await node.delete("impatient", 0)
    await node.until_gone("impatient")


async def test_addresses_are_told_again_to_a_new_engine_and_not_of_the_machines_network(
    node: Node, held: HeldNetwork
) -> None:
    held.in_force.set()
    made = [await node.create(pod("kept")), await node.create(pod("hosted", hostNetwork=True))]
    for one in made:
        await node.until(name_of(one), ready)
    kept, hosted = (uid_of(one) for one in made)
    assert hosted not in held.addresses
    before = dict(held.addresses)
    held.addresses.clear()
    await node.stop()
    await node.start()
    assert held.addresses[kept] == before[kept]
    assert hosted not in held.addresses


async def test_a_finished_pod_has_no_address(node: Node, held: HeldNetwork) -> None:
    held.in_force.set()
    made = await node.create(pod("brief", container(["true"]), restartPolicy="Never"))
    await node.until("brief", phase("Succeeded"))
    await until(lambda: uid_of(made) not in held.addresses, "an address given back")
