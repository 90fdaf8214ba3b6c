"""Eviction on a real runtime, under pressure that is only told: who goes, what it is told, who is not let in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from skerry.engine.node.cri.client import CriError
from skerry.engine.node.machine import Pressure
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import PODS
from tests.component.node.node import Node, container, phase, pod
from tests.support.waiting import until

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="package")]

ENOUGH = Pressure(2**32, 0.9, 30000)


@pytest_asyncio.fixture(loop_scope="package")
async def pressed(node: Node) -> AsyncIterator[Node]:
    """The node without the pods of other tests, of which one would have to go first; its agent is started anew
    afterwards, because pressure lingers for minutes."""
    for name in [name_of(left) for left in (await node.client.list(PODS, "default")).items]:
        await node.delete(name, 0)
        await node.until_gone(name)
    node.pressure = ENOUGH
    yield node
    node.pressure = None
    await node.stop()
    await node.start()


def condition(of: Obj, type_: str) -> Obj:
    return next((each for each in of["status"]["conditions"] if each["type"] == type_), {})


def asking(memory: str) -> Obj:
    return container(resources={"requests": {"memory": memory}})


async def test_under_memory_pressure_the_pod_without_requests_goes(pressed: Node) -> None:
    await pressed.create(pod("within-request", asking("512Mi")))
    await pressed.create(pod("unmeasured"))
    for name in ("within-request", "unmeasured"):
        await pressed.until(name, phase("Running"))
    pressed.pressure = Pressure(50 * 2**20, 0.9, 30000)
    await pressed.agent.look_after_resources()
    found = await pressed.until(
        "unmeasured", lambda seen: phase("Failed")(seen) and condition(seen, "DisruptionTarget")
    )
    assert found["status"]["reason"] == "Evicted"
    expected = (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container main was using "
    )
    assert found["status"]["message"].startswith(expected)
    assert condition(found, "DisruptionTarget")["reason"] == "TerminationByKubelet"
    await pressed.until_told("unmeasured", "Evicted", found["status"]["message"])
    await pressed.create(pod("latecomer"))
    late = await pressed.until("latecomer", phase("Failed"))
    assert late["status"]["message"] == "Pod was rejected: The node had condition: [MemoryPressure]. "
    assert phase("Running")(await pressed.get("within-request"))
    await pressed.until_node(lambda node: condition(node, "MemoryPressure")["status"] == "True")
    for name in ("within-request", "unmeasured", "latecomer"):
        await pressed.delete(name, 0)
        await pressed.until_gone(name)


async def test_a_pod_above_its_limit_of_local_storage_goes(pressed: Node) -> None:
    write = ["sh", "-c", "dd if=/dev/zero of=/data/big bs=1M count=3; echo done; exec sleep 1000"]
    small: Obj = {"name": "data", "emptyDir": {"sizeLimit": "1Mi"}}
    writing = container(write, volumeMounts=[{"name": "data", "mountPath": "/data"}])
    await pressed.create(pod("overfull", writing, volumes=[small]))
    await pressed.until("overfull", phase("Running"))

    async def written() -> bool:
        if phase("Failed")(await pressed.get("overfull")):
            return True
        try:
            size = await pressed.exec("overfull", "busybox", "stat", "-c", "%s", "/data/big")
        except CriError:  # it is just being evicted: the agent looks by itself as well
            return False
        return size.strip() == str(3 << 20)

    await until(written, "the file")
    await pressed.agent.look_after_resources()
    found = await pressed.until("overfull", phase("Failed"))
    assert found["status"]["reason"] == "Evicted"
    assert found["status"]["message"] == 'Usage of EmptyDir volume "data" exceeds the limit "1Mi". '
    await pressed.delete("overfull", 0)
    await pressed.until_gone("overfull")


async def test_images_that_were_loaded_stay_when_the_disk_is_full(pressed: Node) -> None:
    before = {image.id for image in await pressed.instance.cri.list_images()}
    pressed.pressure = Pressure(2**32, 0.01, 30000, disk_total=2**30)
    await pressed.agent.look_after_resources()
    assert {image.id for image in await pressed.instance.cri.list_images()} == before
    await pressed.until_node(lambda node: len(node["status"]["images"]) == len(before))
    await pressed.until_told("test", "FreeDiskSpaceFailed")
