"""Ephemeral containers on a real runtime: started in a running pod, seeing the target's processes, never again."""

from __future__ import annotations

import pytest

from skerry.kube.errors import Invalid
from skerry.kube.objects import Obj
from skerry.kube.resources import PODS
from tests.component.node.node import Node, container, phase, pod
from tests.support.images import BUSYBOX

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="package")]


def debugger(name: str, command: list[str], **more: object) -> Obj:
    return {"spec": {"ephemeralContainers": [{"name": name, "image": BUSYBOX, "command": command, **more}]}}


def ephemeral_state(found: Obj, name: str) -> Obj:
    statuses = found["status"].get("ephemeralContainerStatuses") or []
    state: Obj = next((status["state"] for status in statuses if status["name"] == name), {})
    return state


async def add(node: Node, name: str, patch: Obj) -> Obj:
    return await node.client.patch(PODS, name, patch, "default", kind="strategic", subresource="ephemeralcontainers")


async def test_an_ephemeral_container_runs_beside_its_target_and_is_not_restarted(node: Node) -> None:
    await node.create(pod("debugged", container(["sh", "-c", "exec sleep 1234"]), terminationGracePeriodSeconds=1))
    await node.until("debugged", phase("Running"))
    look = ["sh", "-c", "cat /proc/1/cmdline | tr '\\0' ' ' > /dev/termination-log; exit 3"]
    updated = await add(node, "debugged", debugger("look", look, targetContainerName="main"))
    assert updated["metadata"]["generation"] == 2
    found = await node.until("debugged", lambda seen: "terminated" in ephemeral_state(seen, "look"))
    assert ephemeral_state(found, "look")["terminated"]["exitCode"] == 3
    assert ephemeral_state(found, "look")["terminated"]["message"].strip() == "sleep 1234"
    assert found["status"]["phase"] == "Running"
    await add(node, "debugged", debugger("second", ["sleep", "60"]))
    found = await node.until("debugged", lambda seen: "running" in ephemeral_state(seen, "second"))
    assert [status["restartCount"] for status in found["status"]["ephemeralContainerStatuses"]] == [0, 0]
    with pytest.raises(Invalid, match="may not be changed"):
        await add(node, "debugged", debugger("look", ["true"]))
    await node.delete("debugged", 0)
    await node.until_gone("debugged")
