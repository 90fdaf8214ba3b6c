"""The Node object, its heartbeat, and pod cgroups on both versions."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from skerry.engine.node.cgroups import PodCgroups
from skerry.engine.node.machine import Machine, Pressure, read_machine, read_pressure
from skerry.engine.node.node_object import NodeState, RuntimeFacts, differs, node_object, node_status
from skerry.engine.node.objects import ObjectWatch
from skerry.engine.node.pressure.signals import conditions
from skerry.engine.node.spec.resources import PodLimits
from skerry.kube.client import ObjectList, WatchEvent
from skerry.kube.objects import Obj
from tests.support.waiting import LIMIT
from tests.unit.node.views import NOW

MACHINE = Machine(2, 4 * 2**30, 100 * 2**30, "192.168.0.9", "host", "amd64", "6.1", "Debian", "m", "b")
STATE = NodeState("n1", MACHINE, RuntimeFacts("containerd://1.6"), "10.0.0.0/16", "v1.36.0", NOW)


def condition(status: Obj, kind: str) -> Obj:
    return next(entry for entry in status["conditions"] if entry["type"] == kind)


def test_ready_node() -> None:
    status = node_status(STATE, {})
    assert condition(status, "Ready")["status"] == "True"
    assert status["capacity"] == {"cpu": "2", "memory": "4194304Ki", "ephemeral-storage": "104857600Ki", "pods": "250"}
    assert {"type": "InternalIP", "address": "192.168.0.9"} in status["addresses"]
    assert node_object(STATE)["metadata"]["labels"]["kubernetes.io/arch"] == "amd64"


def test_runtime_that_cannot_run_pods() -> None:
    down = replace(STATE, runtime=RuntimeFacts("containerd://1.6", "NetworkPluginNotReady: no CNI"))
    ready = condition(node_status(down, {}), "Ready")
    assert (ready["status"], ready["message"]) == ("False", "NetworkPluginNotReady: no CNI")


def test_pressure() -> None:
    status = node_status(replace(STATE, held=conditions(Pressure(2**20, 0.01, 5))), {})
    assert {kind: condition(status, kind)["status"] for kind in ("MemoryPressure", "DiskPressure", "PIDPressure")} == {
        "MemoryPressure": "True",
        "DiskPressure": "True",
        "PIDPressure": "True",
    }


def test_transition_times_stay() -> None:
    before = node_status(STATE, {})
    for entry in before["conditions"]:
        entry["lastTransitionTime"] = "2026-01-01T00:00:00Z"
    assert condition(node_status(STATE, before), "Ready")["lastTransitionTime"] == "2026-01-01T00:00:00Z"


def test_resources_and_conditions_of_others() -> None:
    ours = node_status(STATE, {})
    theirs: Obj = {"type": "KernelDeadlock", "status": "False"}
    present = {
        **ours,
        "capacity": {**ours["capacity"], "example.com/gpu": "2"},
        "conditions": [*ours["conditions"], theirs],
    }
    wanted = node_status(STATE, present)
    assert wanted["allocatable"]["example.com/gpu"] == "2"
    assert differs(wanted, present), "what is there is not yet allocatable"
    present["allocatable"] = wanted["allocatable"]
    assert not differs(node_status(STATE, present), present)
    assert differs(node_status(STATE, present), {**present, "conditions": [theirs]})
    assert differs(node_status(STATE, present), {**present, "addresses": []})
    present["capacity"] = {**ours["capacity"], "memory": "4Gi"}
    assert node_status(STATE, present)["allocatable"]["example.com/gpu"] is None
    del present["allocatable"]["example.com/gpu"]
    assert not differs(node_status(STATE, present), present)


def test_this_machine(tmp_path: Path) -> None:
    machine, pressure = read_machine(tmp_path), read_pressure(tmp_path)
    assert machine.cpus >= 1
    assert machine.memory > pressure.memory_available > 0
    assert machine.storage > 0
    assert 0 < pressure.disk_free_part <= 1
    assert pressure.pids_free > 0


def test_cgroup_v1(tmp_path: Path) -> None:
    for controller in ("cpu", "memory", "pids"):
        (tmp_path / controller).mkdir()
    groups = PodCgroups("/skerry-1", tmp_path, pids_limit=100)
    groups.create("u1", PodLimits(cpu_shares=512, cpu_quota=50_000, memory=2**20))
    written = {path.name: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {
        "cpu.shares": "512",
        "cpu.cfs_period_us": "100000",
        "cpu.cfs_quota_us": "50000",
        "memory.limit_in_bytes": "1048576",
        "pids.max": "100",
    }
    assert groups.path("u1") == "/skerry-1/podu1"
    assert groups.uids() == {"u1"}


def test_cgroup_v2(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids")
    groups = PodCgroups("/skerry-1", tmp_path)
    groups.create("u1", PodLimits(cpu_shares=1024, memory=2**20))
    pod = tmp_path / "skerry-1" / "podu1"
    assert (pod / "cpu.weight").read_text() == "39"
    assert (pod / "memory.max").read_text() == "1048576"
    assert not (pod / "cpu.max").exists()


def test_removal_takes_what_the_runtime_left(tmp_path: Path) -> None:
    for tree in ("cpu", "unified"):
        (tmp_path / tree / "skerry-1" / "podu1" / "container").mkdir(parents=True)
    (tmp_path / "cpu" / "cgroup.procs").touch()
    (tmp_path / "unified" / "skerry-1" / "podu1" / "container" / "cgroup.procs").touch()  # no cgroup: a plain file
    groups = PodCgroups("/skerry-1", tmp_path)
    groups.remove("u1")
    assert groups.uids() == set()
    groups.remove("u1")


class Api:
    """One stream of changes."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[WatchEvent] = asyncio.Queue()

    async def list(self, resource: Any, limit: int = 0) -> ObjectList:
        return ObjectList([], "1")

    def watch(self, resource: Any, resource_version: str) -> Api:
        return self

    async def __aenter__(self) -> Api:
        return self

    async def __aexit__(self, *error: object) -> None:
        return None

    def __aiter__(self) -> Api:
        return self

    async def __anext__(self) -> WatchEvent:
        return await self.events.get()


async def test_watched_objects_are_told_by_name() -> None:
    api, told = Api(), asyncio.Queue[tuple[str, Any]]()
    watch = ObjectWatch(api, lambda namespace, reference: told.put_nowait((namespace, reference)))  # type: ignore[arg-type]
    watch.need([("Secret", "a"), ("Secret", "b")])
    assert await asyncio.wait_for(told.get(), LIMIT) == ("", None)
    for kind in ("BOOKMARK", "MODIFIED"):
        metadata = {"name": "a", "namespace": "ns", "resourceVersion": "2"}
        api.events.put_nowait(WatchEvent(kind, {"metadata": metadata}))  # type: ignore[arg-type]
    assert await asyncio.wait_for(told.get(), LIMIT) == ("ns", ("Secret", "a"))
    await watch.close()


def test_a_store_that_cannot_write() -> None:
    full = condition(node_status(replace(STATE, store_trouble="disk full"), {}), "StoreFull")
    assert (full["status"], full["message"]) == ("True", "the API refuses most writes: disk full")
    assert condition(node_status(STATE, {}), "StoreFull")["status"] == "False"
