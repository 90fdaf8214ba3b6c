"""Keeps the time of all probes of the node: timers on the event loop, a task only while a container is being asked.

Neighbours: `machine` counts, `checks` asks, `pods.worker` is told by a callback and reads `state`. Invariants:
readiness and liveness begin once the startup probe has succeeded; a container is asked by one check of a kind at a
time; after `wind_down` only readiness is asked for, after `remove` nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from skerry.engine.node.cri.client import CriClient
from skerry.engine.node.hooks import HookTarget
from skerry.engine.node.pods.state import ProbeState
from skerry.engine.node.probes.checks import Outcome, check
from skerry.engine.node.probes.machine import Kind, ProbeMachine, ProbeSpec
from skerry.kube.clock import Clock
from skerry.kube.events import Recorder
from skerry.kube.objects import Obj
from skerry.kube.records import record

_FIELDS: tuple[tuple[Kind, str], ...] = (
    ("startup", "startupProbe"),
    ("readiness", "readinessProbe"),
    ("liveness", "livenessProbe"),
)
_LIFE: tuple[Kind, ...] = ("startup", "liveness")


@record
class Probed:
    """A running container to be probed. `started`: in steady time. `changed` is called when what its probes say has
    changed; `known`: what was last told to the API, taken up when an engine that was restarted adopts the container."""

    pod: Obj
    target: HookTarget
    field_path: str
    started: datetime
    changed: Callable[[], None]
    known: ProbeState | None = None


@dataclass(slots=True)
class _Watched:
    """One container's probes: state, appointments and checks under way."""

    probed: Probed
    machines: dict[Kind, ProbeMachine]
    state: ProbeState
    timers: dict[Kind, asyncio.TimerHandle] = field(default_factory=dict)
    tasks: dict[Kind, asyncio.Task[None]] = field(default_factory=dict)


class Prober:
    """All probes. Keys are container ids."""

    def __init__(self, cri: CriClient, recorder: Recorder, clock: Clock) -> None:
        self._cri = cri
        self._recorder = recorder
        self._clock = clock
        self._watched: dict[str, _Watched] = {}

    def add(self, probed: Probed) -> None:
        """Probe a container from now on; harmless when it is already, or has no probes."""
        container_id, container = probed.target.container_id, probed.target.container
        if container_id in self._watched:
            return
        machines = {kind: ProbeMachine(ProbeSpec.of(kind, container[name])) for kind, name in _FIELDS
                    if container.get(name)}  # fmt: skip
        if not machines:
            return
        started = "startup" not in machines
        ready = started and "readiness" not in machines
        watched = _Watched(probed, machines, ProbeState(started=started, ready=ready))
        self._watched[container_id] = watched
        if probed.known is not None:
            self._take_up(watched, probed.known)
        if watched.state.started:
            self._begin(watched, "readiness", "liveness")
        else:
            self._begin(watched, "startup")

    def state(self, container_id: str) -> ProbeState | None:
        """What the probes of a container say; None when it has none."""
        watched = self._watched.get(container_id)
        return watched.state if watched else None

    def remove(self, container_id: str) -> None:
        """The container ended."""
        watched = self._watched.pop(container_id, None)
        if watched is not None:
            for timer in watched.timers.values():
                timer.cancel()
            for task in watched.tasks.values():
                task.cancel()

    def wind_down(self, container_id: str) -> None:
        """The container is being stopped: whether it is ready still matters, whether it lives no longer does."""
        watched = self._watched.get(container_id)
        if watched is None:
            return
        for kind in _LIFE:
            watched.machines.pop(kind, None)
            if timer := watched.timers.pop(kind, None):
                timer.cancel()
            if task := watched.tasks.pop(kind, None):
                task.cancel()

    async def close(self) -> None:
        """Stop probing."""
        tasks = [task for watched in self._watched.values() for task in watched.tasks.values()]
        for container_id in list(self._watched):
            self.remove(container_id)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take_up(self, watched: _Watched, known: ProbeState) -> None:
        """A container that had started or was ready stays so until its probes say otherwise."""
        watched.state = replace(watched.state, started=watched.state.started or known.started)
        if watched.state.started and ("readiness" not in watched.machines or known.ready):
            watched.state = replace(watched.state, ready=True)
            if "readiness" in watched.machines:
                watched.machines["readiness"].verdict = True

    def _begin(self, watched: _Watched, *kinds: Kind) -> None:
        running = (self._clock.steady() - watched.probed.started).total_seconds()
        for kind in kinds:
            if kind in watched.machines:
                self._appoint(watched, kind, max(0.0, watched.machines[kind].spec.initial_delay - running))

    def _appoint(self, watched: _Watched, kind: Kind, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        watched.timers[kind] = loop.call_later(seconds, self._ask, watched, kind)

    def _ask(self, watched: _Watched, kind: Kind) -> None:
        watched.tasks[kind] = asyncio.create_task(self._check(watched, kind), name=f"{kind} probe")

    async def _check(self, watched: _Watched, kind: Kind) -> None:
        machine = watched.machines[kind]
        began = asyncio.get_running_loop().time()
        outcome = await check(self._cri, machine.spec, watched.probed.target)
        if watched.probed.target.container_id not in self._watched or kind not in watched.machines:
            return
        self._tell(watched.probed, kind, outcome)
        if machine.observe(outcome.success):
            self._apply(watched, machine)
        if kind == "startup" and machine.verdict is not None:
            return  # it has done its work
        took = asyncio.get_running_loop().time() - began
        self._appoint(watched, kind, max(0.0, machine.spec.period - took))

    def _tell(self, probed: Probed, kind: Kind, outcome: Outcome) -> None:
        if outcome.success and not outcome.output:
            return
        reason, verdict = ("ProbeWarning", "warning") if outcome.success else ("Unhealthy", "failed")
        message = f"{kind.capitalize()} probe {verdict}: {outcome.output}"
        self._recorder.event(probed.pod, "Warning", reason, message, probed.field_path)

    def _apply(self, watched: _Watched, machine: ProbeMachine) -> None:
        """A verdict changed."""
        kind, good = machine.spec.kind, bool(machine.verdict)
        if kind == "readiness":
            watched.state = replace(watched.state, ready=good)
        elif not good:
            name = watched.probed.target.container["name"]
            message = f"Container {name} failed {kind} probe, will be restarted"
            watched.state = replace(watched.state, failure=message, grace=machine.spec.grace)
        elif kind == "startup":
            watched.state = replace(watched.state, started=True, ready="readiness" not in watched.machines)
            self._begin(watched, "readiness", "liveness")
        watched.probed.changed()
