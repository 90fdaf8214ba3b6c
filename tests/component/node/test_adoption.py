"""The agent goes away and comes back; so does containerd."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from skerry.engine.node.cri.client import CriError
from skerry.kube.resources import NODES, PODS
from tests.component.node.node import Node, container, container_id, phase, pod, ready, restarted, status_of
from tests.support.waiting import until

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="package")]


async def test_running_pods_are_adopted(node: Node) -> None:
    await node.create(pod("stays"))
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 1, "timeoutSeconds": 60}
    await node.create(pod("probed", container(readinessProbe=probe)))
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


async def test_an_orphan_goes_though_the_runtime_fails_at_first(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    await node.create(pod("orphan"))
    orphan = await node.until("orphan", ready)
    await node.stop()
    await node.delete("orphan", 0)
    remove, failures = node.instance.cri.remove_pod_sandbox, [CriError("UNAVAILABLE", "containerd was killed")]

    async def fails_at_first(sandbox_id: str) -> None:
        if failures:
            raise failures.pop()
        await remove(sandbox_id)

    monkeypatch.setattr(node.instance.cri, "remove_pod_sandbox", fails_at_first)
    await node.start()
    await node.until_nothing_runs({"io.kubernetes.pod.uid": orphan["metadata"]["uid"]})
    assert not failures


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


async def test_a_container_that_was_made_and_not_started_is_made_anew_once(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = asyncio.Event()

    async def never_starts(_container_id: str) -> None:
        made.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(node.instance.cri, "start_container", never_starts)
        await node.create(pod("halfway"))
        await made.wait()
        await node.stop()
    await node.start()
    first = container_id(await node.until("halfway", ready))
    await node.until_looked_at("halfway")
    assert container_id(await node.get("halfway")) == first
    assert await node.exec("halfway", "echo", "alive") == "alive\n"


async def test_what_the_runtime_has_forgotten_goes_too(node: Node) -> None:
    """As when containerd is killed between the runtime's deletion of a task and its own note of it."""
    await node.create(pod("unknown", restartPolicy="Never"))
    unknown = await node.until("unknown", ready)
    labels = {"io.kubernetes.pod.uid": unknown["metadata"]["uid"]}
    cri = node.instance.cri
    (sandbox,) = await cri.list_pod_sandboxes(labels)
    main = container_id(unknown)
    statuses = {
        sandbox.id: await cri.pod_sandbox_status(sandbox.id, verbose=True),
        main: await cri.container_status(main, verbose=True),
    }
    known = Path(f"/proc/{node.instance.supervisor.pid}/root/run/containerd/runc/k8s.io")
    for task, status in statuses.items():
        shutil.rmtree(known / task)
        os.kill(json.loads(status.info["info"])["pid"], signal.SIGKILL)
    await node.delete("unknown", 1)
    await node.until_gone("unknown")
    await node.until_nothing_runs(labels)


async def test_a_shim_that_containerd_does_not_know_is_ended(node: Node) -> None:
    """As when containerd is killed while it starts one; others go on."""
    await node.create(pod("known"))
    before = await node.until("known", ready)
    await node.stop()
    arguments = ["-namespace", "k8s.io", "-id", 64 * "0", "-address", str(node.config.paths.containerd_socket)]
    stray = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()", *arguments])
    try:
        await node.start()
        await until(lambda: stray.poll() is not None, "the end of the stray")
    finally:
        stray.kill()
        stray.wait()
    assert status_of(await node.get("known")) == status_of(before)
    assert await node.exec("known", "echo", "alive") == "alive\n"


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
