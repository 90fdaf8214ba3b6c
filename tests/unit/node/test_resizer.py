"""Carrying out a resize: in which order, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriError
from skerry.engine.node.pods.knowledge import Knowledge
from skerry.engine.node.pods.plan import Plan, ResizePod, plan
from skerry.engine.node.pods.resizer import Resizer
from skerry.engine.node.pods.state import Wait
from skerry.engine.node.spec.resources import PodLimits
from skerry.engine.node.status.pod_status import pod_status
from skerry.kube.objects import Obj
from tests.unit.node.views import NOW, container, pod, record, view

MIB = 2**20


class Machine:
    """Cgroups, the runtime and events in one: remembers what was done, and uses `used` bytes everywhere."""

    def __init__(self, used: int = 0) -> None:
        self.used, self.done, self.events = used, [], []
        self.error: CriError | None = None

    def create(self, uid: str, limits: PodLimits) -> None:
        self.done.append(("pod", limits.memory // MIB, limits.cpu_quota))

    def memory_usage(self, uid: str, container_id: str = "") -> int:
        return self.used

    async def update_container_resources(self, container_id: str, resources: pb.LinuxContainerResources) -> None:
        if self.error:
            raise self.error
        self.done.append((container_id, resources.memory_limit_in_bytes // MIB, resources.cpu_quota))

    def event(self, involved: Obj, kind: str, reason: str, message: str, field_path: str = "") -> None:
        self.events.append((reason, message))

    done: list[Any]
    events: list[Any]


def limited(memory: str, cpu: str = "1") -> Obj:
    return {"limits": {"cpu": cpu, "memory": memory}, "requests": {"cpu": cpu, "memory": memory}}


def known(machine: Machine, made: Obj, applied: dict[str, Obj], whole: Obj | None = None) -> tuple[Knowledge, Resizer]:
    """What is known of a running pod, and who resizes it."""
    clock = SimpleNamespace(now=lambda: NOW, steady=lambda: NOW)
    context: Any = SimpleNamespace(
        cgroups=machine, cri=machine, recorder=machine, machine_memory=2**33, config=SimpleNamespace(clock=clock)
    )
    knowledge = Knowledge(context, made)
    for one in made["spec"]["containers"]:
        knowledge.put(record(one["name"]))
    knowledge.applied = {f"{name}-0": resources for name, resources in applied.items()}
    knowledge.pod_applied = whole
    return knowledge, Resizer(context, knowledge)


async def test_the_pod_grows_first_and_shrinks_last() -> None:
    machine = Machine()
    knowledge, resizer = known(machine, pod(container(resources=limited("64Mi"))), {"main": limited("32Mi", "2")})
    assert await resizer.resize(record())
    assert machine.done == [("pod", 64, 200_000), ("main-0", 64, 100_000), ("pod", 64, 100_000)]
    assert knowledge.applied == {"main-0": limited("64Mi")}


async def test_no_limit_goes_below_what_is_used() -> None:
    machine = Machine(used=40 * MIB)
    knowledge, resizer = known(machine, pod(container(resources=limited("32Mi"))), {"main": limited("64Mi")})
    assert not await resizer.resize(record())
    assert machine.done == []
    assert knowledge.applied == {"main-0": limited("64Mi")}
    message = f"attempting to set pod memory limit ({32 * MIB}) below current usage ({40 * MIB})"
    assert knowledge.resize_wait == Wait("Error", message, NOW + timedelta(seconds=5))
    machine.used = 10 * MIB
    assert await resizer.resize(record())
    assert knowledge.resize_wait is None


async def test_what_the_runtime_refuses_is_told_once() -> None:
    machine = Machine()
    machine.error = CriError("UNKNOWN", "device or resource busy")
    knowledge, resizer = known(machine, pod(container(resources=limited("64Mi"))), {"main": limited("32Mi")})
    assert not await resizer.resize(record())
    assert not await resizer.resize(record())
    assert len(machine.events) == 1
    assert knowledge.applied == {"main-0": limited("32Mi")}


async def test_the_pod_as_a_whole_takes_containers_without_limits_along() -> None:
    own = container("own", resources=limited("16Mi", "500m"))
    made = pod(own, container("free", resources={}), resources=limited("64Mi"))
    machine = Machine()
    applied = {"own": limited("16Mi", "500m"), "free": {}}
    knowledge, resizer = known(machine, made, applied, limited("32Mi"))
    assert await resizer.resize_pod()
    changed = [("own-0", 16, 50_000), ("free-0", 64, 100_000)]
    assert machine.done == [("pod", 64, 100_000), *changed, ("pod", 64, 100_000)]
    assert knowledge.pod_applied == limited("64Mi")


def test_plans_and_tells_of_the_pod_as_a_whole() -> None:
    made, before = pod(resources=limited("64Mi")), limited("32Mi")
    wanting = view(made, record(), pod_applied=before)
    assert plan(wanting) == Plan((ResizePod(),))
    status = pod_status(wanting, ("10.0.0.1",))
    assert (status["resources"], status["allocatedResources"]) == (before, before["requests"])
    assert "PodResizeInProgress" in {each["type"] for each in status["conditions"]}
    assert plan(view(made, record(), pod_applied=limited("64Mi"))) == Plan()
    assert plan(view(made, record(), pod_applied=before, resize_pending=("Deferred", "full"))) == Plan()


def test_a_resize_that_failed_is_tried_again_later() -> None:
    later = NOW + timedelta(seconds=5)
    failed = view(pod(resources=limited("64Mi")), record(), pod_applied={}, resize_wait=Wait("Error", "no", later))
    assert plan(failed) == Plan((), later)
    (told,) = (
        each for each in pod_status(failed, ("10.0.0.1",))["conditions"] if each["type"] == "PodResizeInProgress"
    )
    assert (told["reason"], told["message"]) == ("Error", "no")
    due = view(pod(resources=limited("64Mi")), record(), pod_applied={}, resize_wait=Wait("Error", "no", NOW))
    assert plan(due) == Plan((ResizePod(),))
