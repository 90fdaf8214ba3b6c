"""What a worker knows of its pod, and how that changes: the mutable side of `state.PodView`.

Neighbours: `worker` owns one and asks for views, `observer` answers with records. Invariant: a record only moves
forward (created, running, exited), whatever order the runtime's answers arrive in.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from skerry.engine.node.context import NodeContext
from skerry.engine.node.pods.observer import Found, with_record
from skerry.engine.node.pods.state import (
    ContainerRecord,
    Phase,
    PodView,
    ProbeState,
    SandboxRecord,
    Termination,
    Wait,
    all_containers,
)
from skerry.engine.node.status.merge import with_latest_status
from skerry.kube.clock import in_steady, parse_time
from skerry.kube.objects import Obj, uid_of

_ORDER = (Phase.CREATED, Phase.RUNNING, Phase.EXITED)
_HOOK_PENDING = ProbeState(started=False, ready=False)


class Knowledge:
    """One pod. `pod` is the newest API object, or the last one before it was removed."""

    def __init__(self, context: NodeContext, pod: Obj) -> None:
        self._context = context
        self.pod = pod
        self.removed = False
        self.sandbox: SandboxRecord | None = None
        self.containers: dict[str, tuple[ContainerRecord, ...]] = {}
        self.waits: dict[str, Wait] = {}
        self.pod_wait: Wait | None = None
        self.killing: dict[str, datetime] = {}
        self.hooking: set[str] = set()
        self.termination: Termination | None = None
        self.applied: dict[str, Obj] = {}
        self.pod_applied: Obj | None = None
        self.resize_pending: tuple[str, str] | None = None
        self.resize_wait: Wait | None = None
        self.volumes: dict[str, Path] | None = None
        self.let_go = False
        """Volumes were asked back; what a driver does not give back is tried again elsewhere."""
        self._begun: tuple[str, datetime] | None = None

    def view(self) -> PodView:
        """Everything known now, for the pure functions."""
        return PodView(
            pod=self.pod,
            now=self._context.config.clock.now(),
            steady=self._context.config.clock.steady(),
            sandbox=self.sandbox,
            containers=dict(self.containers),
            waits=dict(self.waits),
            pod_wait=self.pod_wait,
            probes=self._probes(),
            killing=dict(self.killing),
            termination=self.termination,
            volumes_ready=self.volumes is not None,
            volumes_held=not self.let_go and self._context.volumes.holds(uid_of(self.pod)),
            applied=dict(self.applied),
            pod_applied=self.pod_applied,
            resize_pending=self.resize_pending,
            resize_wait=self.resize_wait,
        )

    def begun(self) -> datetime | None:
        """When a pod with a deadline began, in steady time; None without one, or before its first status says so."""
        if self.pod["spec"].get("activeDeadlineSeconds") is None:
            return None
        pod = with_latest_status(self.pod, self._context.statuses.last(uid_of(self.pod)))
        start = (pod.get("status") or {}).get("startTime")
        if start and (self._begun is None or self._begun[0] != start):
            self._begun = (start, in_steady(self._context.config.clock, parse_time(start)))
        return self._begun[1] if self._begun is not None else None

    def _probes(self) -> dict[str, ProbeState]:
        states: dict[str, ProbeState] = {}
        for record in self.running():
            state = _HOOK_PENDING if record.id in self.hooking else self._context.prober.state(record.id)
            if state is not None:
                states[record.id] = state
        return states

    def take(self, found: Found) -> None:
        """Adopt what the runtime has: after a start of the engine or of containerd."""
        self.sandbox = found.sandbox
        known = {record.id for attempts in found.containers.values() for record in attempts}
        for name, attempts in list(self.containers.items()):
            self.containers[name] = tuple(record for record in attempts if record.id in known)
        for attempts in found.containers.values():
            for record in attempts:
                self.put(record)

    def put(self, record: ContainerRecord) -> bool:
        """Take an answer of the runtime; False when it is no news."""
        attempts = self.containers.get(record.name, ())
        before = next((each for each in attempts if each.id == record.id), None)
        if before is not None and _ORDER.index(before.phase) >= _ORDER.index(record.phase):
            return False
        self.containers[record.name] = with_record(attempts, record)
        return True

    def drop(self, record: ContainerRecord) -> None:
        """Its container was removed from the runtime."""
        attempts = self.containers.get(record.name, ())
        self.containers[record.name] = tuple(each for each in attempts if each.id != record.id)
        self.applied.pop(record.id, None)

    def applied_by_name(self) -> dict[str, Obj]:
        """The resources in force of running containers."""
        return {record.name: self.applied[record.id] for record in self.running() if record.id in self.applied}

    def by_id(self, container_id: str) -> ContainerRecord | None:
        """The record of a container."""
        for attempts in self.containers.values():
            for record in attempts:
                if record.id == container_id:
                    return record
        return None

    def running(self) -> list[ContainerRecord]:
        """Containers whose process lives."""
        return [record for attempts in self.containers.values() for record in attempts if record.running]

    def container_spec(self, name: str) -> Obj:
        """The container's definition; only its name for one that is no longer in the pod."""
        for container in all_containers(self.pod):
            if container["name"] == name:
                return container
        return {"name": name}
