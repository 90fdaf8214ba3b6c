"""In-place resize on a real runtime: the kernel's limits change, the container does not, unless it asked for that."""

from __future__ import annotations

import pytest

from skerry.kube.errors import Invalid
from skerry.kube.objects import Obj
from skerry.kube.resources import PODS
from tests.component.node.node import Node, container, phase, pod, restarted, status_of

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="package")]


def limits(cpu: str, memory: str) -> Obj:
    return {"limits": {"cpu": cpu, "memory": memory}, "requests": {"cpu": cpu, "memory": memory}}


async def resize(node: Node, name: str, resources: Obj) -> Obj:
    patch: Obj = {"spec": {"containers": [{"name": "main", "resources": resources}]}}
    return await node.client.patch(PODS, name, patch, "default", kind="strategic", subresource="resize")


def in_force(cpu: str) -> object:
    return lambda seen: status_of(seen)["resources"].get("limits", {}).get("cpu") == cpu


def resize_conditions(found: Obj) -> dict[str, str]:
    return {each["type"]: each.get("reason", "") for each in found["status"]["conditions"] if "Resize" in each["type"]}


async def test_a_running_container_gets_other_limits(node: Node) -> None:
    await node.create(pod("sized", container(resources=limits("100m", "64Mi"))))
    before = await node.until("sized", phase("Running"))
    assert status_of(before)["allocatedResources"] == {"cpu": "100m", "memory": "64Mi"}
    await resize(node, "sized", limits("200m", "96Mi"))
    after = await node.until("sized", in_force("200m"))  # type: ignore[arg-type]
    assert status_of(after)["containerID"] == status_of(before)["containerID"]
    assert status_of(after)["restartCount"] == 0
    assert resize_conditions(after) == {}
    where = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null || true"
    assert (await node.exec("sized", "sh", "-c", where)).strip() == str(96 * 2**20)
    await resize(node, "sized", limits("50m", "64Mi"))
    await node.until("sized", in_force("50m"))  # type: ignore[arg-type]
    assert (await node.exec("sized", "sh", "-c", where)).strip() == str(64 * 2**20)
    with pytest.raises(Invalid, match="QOS"):
        await resize(node, "sized", {"requests": {"cpu": "10m"}, "limits": {"cpu": "50m", "memory": "64Mi"}})
    await node.delete("sized", 0)
    await node.until_gone("sized")


async def test_what_does_not_fit_waits_and_what_asks_for_a_restart_gets_one(node: Node) -> None:
    policy = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    await node.create(pod("large", container(resources=limits("50m", "64Mi"), resizePolicy=policy)))
    await node.until("large", phase("Running"))
    await resize(node, "large", limits("5000", "64Mi"))
    found = await node.until("large", resize_conditions)
    assert resize_conditions(found) == {"PodResizePending": "Infeasible"}
    assert status_of(found)["resources"] == limits("50m", "64Mi")
    await resize(node, "large", limits("50m", "80Mi"))
    found = await node.until("large", restarted(1))
    assert status_of(found)["resources"] == limits("50m", "80Mi")
    await node.delete("large", 0)
    await node.until_gone("large")
