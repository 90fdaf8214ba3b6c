"""What to do next about a pod: a pure function from what is known to actions and the moment to look again.

Source of the behaviour: the kubelet's `computePodActions` (pkg/kubelet/kuberuntime). The worker carries the actions
out in order, observes again and asks again, until nothing is left to do. Invariants: main containers start only after
every regular init container has succeeded and every sidecar has started; nothing starts in a pod that has to end;
sidecars outlive the main containers; an ephemeral container is started once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypeAlias

from skerry.engine.node.pods.resizing import changed, needs_restart
from skerry.engine.node.pods.restarts import outdated, wanted_round, will_restart
from skerry.engine.node.pods.state import (
    ContainerRecord,
    Phase,
    PodView,
    ephemeral_containers,
    init_containers,
    is_sidecar,
    main_containers,
    reported_statuses,
    spec_hash,
)
from skerry.kube.objects import Obj
from skerry.kube.records import record

SHORTEST_GRACE = timedelta(seconds=2)  # what a sidecar gets when the main containers used up the pod's grace


@record
class MountVolumes:
    """Make the pod's volumes ready."""


@record
class MakeSandbox:
    """Make a sandbox; `attempt` counts them."""

    attempt: int


@record
class DropSandbox:
    """Stop a sandbox that no longer works, with everything in it."""

    sandbox_id: str


@record
class Start:
    """Create and start a container; `discard` is a container that was created and never started, to be removed."""

    name: str
    attempt: int
    discard: str = ""
    round: int = 0
    """Of restarts of all the pod's containers (`restarts`)."""


@record
class Kill:
    """Stop a container: hooks and SIGTERM now, SIGKILL at `deadline` (None: after the pod's own grace period)."""

    record: ContainerRecord
    message: str
    deadline: datetime | None = None
    grace: int | None = None
    """Seconds of grace that go before the pod's own, from a failed probe."""


@record
class Resize:
    """Give a running container the CPU and memory its definition wants."""

    record: ContainerRecord


@record
class ResizePod:
    """Give the pod as a whole the CPU and memory its definition wants."""


@record
class Release:
    """Nothing runs any more and nothing will: give back network and volumes, keep containers for their logs."""


Action: TypeAlias = MountVolumes | MakeSandbox | DropSandbox | Start | Kill | Resize | ResizePod | Release


@record
class Plan:
    """Actions, in order, and when to ask again although nothing changed."""

    actions: tuple[Action, ...] = ()
    again_at: datetime | None = None


def plan(view: PodView) -> Plan:
    """What to do now."""
    if view.termination is not None:
        return _wind_down(view)
    if is_finished(view):
        return _wind_down(view)
    if view.sandbox is None or not view.sandbox.ready:
        return _plan_sandbox(view)
    return _plan_containers(view)


def is_finished(view: PodView) -> bool:
    """Whether every main container has ended for good, or an init container has failed for good."""
    old = {record.id for record in outdated(view)}
    for container in init_containers(view.pod):
        record = view.latest(container["name"])
        if record and record.id in old:
            continue
        if record and record.exited and not record.succeeded and not will_restart(view.pod, container, record):
            return True
    ends = [(container, view.latest(container["name"])) for container in main_containers(view.pod)]
    return not old and all(
        record and record.exited and not will_restart(view.pod, container, record) for container, record in ends
    )


def _wind_down(view: PodView) -> Plan:
    """End what still runs: main and regular init containers first, then sidecars, the last one first."""
    sidecars = [container["name"] for container in init_containers(view.pod) if is_sidecar(container)]
    first = [record for record in view.running if record.name not in sidecars]
    if first:
        return Plan(tuple(_kills(view, first, timedelta())))
    for name in reversed(sidecars):
        left = [record for record in view.running if record.name == name]
        if left:
            return Plan(tuple(_kills(view, left, SHORTEST_GRACE)))
    held = view.volumes_ready or view.volumes_held or (view.sandbox is not None and view.sandbox.ready)
    return Plan((Release(),)) if held else Plan()


def _kills(view: PodView, records: list[ContainerRecord], at_least: timedelta) -> Iterator[Kill]:
    """Kills not yet under way, or under way with a later deadline than now asked for."""
    for one in records:
        deadline = max(view.termination.deadline, view.steady + at_least) if view.termination else None
        under_way = view.killing.get(one.id)
        if under_way is None or (deadline is not None and deadline + timedelta(seconds=1) < under_way):
            yield Kill(one, f"Stopping container {one.name}", deadline)


def _plan_sandbox(view: PodView) -> Plan:
    """No sandbox, or one that died: make a new one, when nothing says to wait."""
    if view.pod_wait and view.pod_wait.until and view.pod_wait.until > view.steady:
        return Plan(again_at=view.pod_wait.until)
    attempt = view.sandbox.attempt + 1 if view.sandbox else 0
    drop: tuple[Action, ...] = (DropSandbox(view.sandbox.id),) if view.sandbox else ()
    mount: tuple[Action, ...] = () if view.volumes_ready else (MountVolumes(),)
    return Plan((*drop, *mount, MakeSandbox(attempt)))


class _Containers:
    """Gathers actions and the next appointment while going through the containers."""

    def __init__(self, view: PodView) -> None:
        assert view.sandbox is not None
        self.view = view
        self.sandbox_id = view.sandbox.id
        self.round = wanted_round(view)
        self.actions: list[Action] = []
        self.again_at: datetime | None = None

    def current(self, name: str) -> ContainerRecord | None:
        """The newest attempt, if it is in the present sandbox and round."""
        record = self.view.latest(name)
        if record is None or record.sandbox_id != self.sandbox_id or record.round < self.round:
            return None
        return record

    def start(self, container: Obj) -> None:
        """Start it, or note when that may be done."""
        name = container["name"]
        for wait in (self.view.waits.get(name), self.view.pod_wait):
            if wait and wait.until and wait.until > self.view.steady:
                self.again_at = min(self.again_at or wait.until, wait.until)
                return
        record = self.view.latest(name)
        if record and record.phase is Phase.CREATED and record.sandbox_id == self.sandbox_id:
            self.actions.append(Start(name, record.attempt, record.id, self.round))
        else:
            self.actions.append(Start(name, next_attempt(self.view, name), round=self.round))

    def kill_if_wrong(self, container: Obj, record: ContainerRecord) -> None:
        """Kill a running container whose definition changed or whose probes gave up on it."""
        name = record.name
        probe = self.view.probe(record)
        if record.id in self.view.killing:
            return
        if record.spec_hash and record.spec_hash != spec_hash(container):
            self.actions.append(Kill(record, f"Container {name} definition changed, will be restarted"))
        elif probe.failure:
            self.actions.append(Kill(record, probe.failure, grace=probe.grace))
        elif resources := changed(container, self.view.applied.get(record.id)):
            self._resize(container, record, resources)

    def resize_pod(self) -> None:
        """See to the resources of the pod as a whole."""
        if changed(self.view.pod["spec"], self.view.pod_applied) and self._may_resize():
            self.actions.append(ResizePod())

    def _may_resize(self) -> bool:
        wait = self.view.resize_wait
        if wait and wait.until and wait.until > self.view.steady:
            self.again_at = min(self.again_at or wait.until, wait.until)
            return False
        return self.view.resize_pending is None

    def _resize(self, container: Obj, record: ContainerRecord, resources: set[str]) -> None:
        if not self._may_resize():
            return
        if needs_restart(container, resources):
            self.actions.append(Kill(record, f"Container {record.name} resize requires restart"))
        else:
            self.actions.append(Resize(record))

    def keep_running(self, container: Obj) -> ContainerRecord | None:
        """See to a container that should run; the record when it does."""
        record = self.current(container["name"])
        if (
            record is None
            or record.phase is Phase.CREATED
            or (record.exited and will_restart(self.view.pod, container, record))
        ):
            self.start(container)
            return None
        if record.running:
            self.kill_if_wrong(container, record)
        return record

    def begin_ephemeral(self) -> None:
        """Start ephemeral containers, whatever the others do, each once."""
        reported = {status["name"] for status in reported_statuses(self.view.pod) if status.get("containerID")}
        for container in ephemeral_containers(self.view.pod):
            record = self.view.latest(container["name"])
            known = record is not None and record.phase is not Phase.CREATED
            if not known and (record is not None or container["name"] not in reported):
                self.start(container)

    def initialize(self, container: Obj) -> bool:
        """See to one init container; whether the next one may begin."""
        if is_sidecar(container):
            record = self.keep_running(container)
            return record is not None and record.running and self.view.probe(record).started
        record = self.current(container["name"])
        if record is not None and record.succeeded:
            return True
        if record is None or not record.running:
            self.start(container)
        else:
            self.kill_if_wrong(container, record)
        return False


def _plan_containers(view: PodView) -> Plan:
    """A working sandbox: init containers in order, then all main containers."""
    if left := [record for record in outdated(view) if record.running]:
        why = "Stopping container {}, all containers of the pod will be restarted"
        return Plan(tuple(Kill(each, why.format(each.name), grace=0) for each in left if each.id not in view.killing))
    todo = _Containers(view)
    todo.begin_ephemeral()
    todo.resize_pod()
    initialized = any(todo.current(container["name"]) for container in main_containers(view.pod))
    for container in init_containers(view.pod):
        if initialized:
            if is_sidecar(container):
                todo.keep_running(container)
        elif not todo.initialize(container):
            return Plan(tuple(todo.actions), todo.again_at)
    for container in main_containers(view.pod):
        todo.keep_running(container)
    return Plan(tuple(todo.actions), todo.again_at)


def next_attempt(view: PodView, name: str) -> int:
    """The number of the next attempt. When the runtime has forgotten the container (after a reboot), the API's
    `restartCount` goes on counting."""
    record = view.latest(name)
    if record is not None:
        return record.attempt + 1
    for reported in reported_statuses(view.pod):
        if reported.get("name") == name and reported.get("containerID"):
            return int(reported.get("restartCount", 0)) + 1
    return 0
