"""The agent goes away and comes back; so does containerd."""

from __future__ import annotations

import os
import signal

import pytest

from skerry.kube.resources import NODES, PODS
from tests.component.node.node import Node, container, phase, pod, ready, restarted, status_of
from tests.support.waiting import until

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="package")]


async def test_running_pods_are_adopted(node: Node) -> None:
    await node.create(pod("stays"))
    await node.create(pod("probed", container(readinessProbe={"exec": {"command": ["true"]}, "periodSeconds": 1})))
    before = {name: await node.until(name, ready) for name in ("stays", "probed")}
    await node.stop()
    await node.start()
    for name in before:
        await node.until_looked_at(name)
    for name, pod_before in before.items():
        after = await node.get(name)
        assert status_of(after)["containerID"] == status_of(pod_before)["containerID"]
        assert status_of(after)["state"] == status_of(pod_before)["state"]
        assert ready(after)
    assert await node.exec("stays", "echo", "alive") == "alive\n"


async def test_what_happened_meanwhile_is_caught_up_with(node: Node) -> None:
    await node.create(pod("died", container(["sh", "-c", "trap 'exit 5' USR1; while :; do sleep 0.05; done"])))
    await node.create(pod("deleted"))
    await node.create(pod("forgotten"))
    died = await node.until("died", ready)
    await node.until("deleted", ready)
    forgotten = await node.until("forgotten", ready)
    await node.stop()
    await node.crash(died)
    await node.delete("deleted")
    await node.delete("forgotten", 0)
    await node.start()
    await node.until("died", restarted(1))
    await node.until_gone("deleted")
    await node.until_nothing_runs({"io.kubernetes.pod.uid": forgotten["metadata"]["uid"]})


async def test_finished_pods_stay_finished(node: Node) -> None:
    await node.create(pod("once", container(["true"]), restartPolicy="Never"))
    before = await node.until("once", phase("Succeeded"))
    await node.stop()
    await node.start()
    await node.create(pod("later"))
    await node.until("later", ready)
    assert (await node.get("once"))["status"]["containerStatuses"] == before["status"]["containerStatuses"]


async def test_containerd_killed(node: Node) -> None:
    await node.create(pod("survivor"))
    before = await node.until("survivor", ready)
    os.kill(node.instance.supervisor.pid, signal.SIGKILL)
    await node.create(pod("afterwards"))
    await node.until("afterwards", ready)
    after = await node.get("survivor")
    assert status_of(after) == status_of(before)
    await node.crash(after, "TERM")
    await node.until("survivor", restarted(1))


async def test_node_is_registered_and_ready(node: Node) -> None:
    registered = await node.client.get(NODES, "test")
    conditions = {condition["type"]: condition["status"] for condition in registered["status"]["conditions"]}
    assert conditions == {"Ready": "True", "MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False",
                          "StoreFull": "False"}  # fmt: skip
    assert registered["status"]["nodeInfo"]["containerRuntimeVersion"].startswith("containerd://1.")
    assert registered["metadata"]["labels"]["kubernetes.io/hostname"] == "test"


async def test_nothing_is_left_of_deleted_pods(node: Node) -> None:
    for leftover in (await node.client.list(PODS)).items:
        await node.delete(leftover["metadata"]["name"], 1)
    for leftover in (await node.client.list(PODS)).items:
        await node.until_gone(leftover["metadata"]["name"])
    await node.until_nothing_runs()
    assert node.agent._context is not None
    cgroups, paths = node.agent._context.cgroups, node.config.paths
    await until(lambda: not [*paths.pods.iterdir(), *paths.pod_logs.iterdir(), *cgroups.uids()], "nothing to be left")
