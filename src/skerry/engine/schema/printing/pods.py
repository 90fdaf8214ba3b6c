"""Pods: `kubectl get pods` and the words in its STATUS column. Source: `printPod`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skerry.engine.schema.contract import Printer
from skerry.engine.schema.printing.cells import AGE, NAME, NONE, age_of, columns, get, since, wide
from skerry.kube.conditions import condition_is_true, condition_of
from skerry.kube.objects import Obj, is_deleting, name_of

_COLUMNS = columns(
    NAME, "Ready", "Status", "Restarts", AGE, wide("IP"), wide("Node"), wide("Nominated Node"), wide("Readiness Gates")
)


@dataclass(slots=True)
class _Tally:
    """What is gathered over the containers: how many are ready, how often they restarted, and the word for it all."""

    reason: str
    ready: int = 0
    restarts: int = 0
    last_restart: str = ""

    def count_restarts(self, status: Obj) -> None:
        self.restarts += status.get("restartCount", 0)
        finished = get(status, "lastState", "terminated", "finishedAt") or ""
        self.last_restart = max(self.last_restart, finished)  # RFC 3339 in UTC sorts as text


def _row(pod: Obj, now: float) -> list[Any]:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    tally = summarise(pod)
    restarts = str(tally.restarts)
    if tally.restarts and tally.last_restart:
        restarts = f"{tally.restarts} ({since(tally.last_restart, now)} ago)"
    addresses = status.get("podIPs") or []
    return [
        name_of(pod),
        f"{tally.ready}/{len(spec.get('containers') or ()) + len(_sidecars(spec))}",
        tally.reason,
        restarts,
        age_of(pod, now),
        (addresses[0].get("ip") if addresses else status.get("podIP")) or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        _gates(pod, spec),
    ]


def summarise(pod: Obj) -> _Tally:
    """Readiness, restarts and the status word of a pod."""
    status = pod.get("status") or {}
    tally = _Tally(status.get("reason") or status.get("phase") or "")
    if get(condition_of(pod, "PodScheduled"), "reason") == "SchedulingGated":
        tally.reason = "SchedulingGated"
    sidecar_tally = _Tally("")
    initialising = _count_init(pod.get("spec") or {}, status, tally, sidecar_tally)
    if not initialising or condition_is_true(pod, "Initialized"):
        tally.restarts, tally.last_restart = sidecar_tally.restarts, sidecar_tally.last_restart
        _count_main(pod, tally)
    if is_deleting(pod):
        if status.get("reason") == "NodeLost":
            tally.reason = "Unknown"
        elif status.get("phase") not in ("Succeeded", "Failed"):
            tally.reason = "Terminating"
    return tally


def _sidecars(spec: Obj) -> set[str]:
    return {c.get("name", "") for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}


def _count_init(spec: Obj, status: Obj, tally: _Tally, sidecar_tally: _Tally) -> bool:
    """Whether an init container still holds the pod up; its state is then the pod's word."""
    sidecars = _sidecars(spec)
    for index, container in enumerate(status.get("initContainerStatuses") or ()):
        tally.count_restarts(container)
        is_sidecar = container.get("name") in sidecars
        if is_sidecar:
            sidecar_tally.count_restarts(container)
        if get(container, "state", "terminated", "exitCode") == 0:
            continue
        if is_sidecar and container.get("started"):
            tally.ready += bool(container.get("ready"))
            continue
        tally.reason = f"Init:{_init_word(container, index, len(spec.get('initContainers') or ()))}"
        return True
    return False


def _init_word(container: Obj, index: int, total: int) -> str:
    terminated = get(container, "state", "terminated")
    if terminated is not None:
        return _ending(terminated)
    waiting = get(container, "state", "waiting", "reason")
    return waiting if waiting and waiting != "PodInitializing" else f"{index}/{total}"


def _ending(terminated: Obj) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _count_main(pod: Obj, tally: _Tally) -> None:
    running = False
    for container in reversed(get(pod, "status", "containerStatuses") or ()):
        tally.count_restarts(container)
        state = container.get("state") or {}
        if get(state, "waiting", "reason"):
            tally.reason = state["waiting"]["reason"]
        elif state.get("terminated") is not None:
            tally.reason = _ending(state["terminated"])
        elif container.get("ready") and state.get("running") is not None:
            running = True
            tally.ready += 1
    if tally.reason == "Completed" and running:
        tally.reason = "Running" if condition_is_true(pod, "Ready") else "NotReady"


def _gates(pod: Obj, spec: Obj) -> str:
    gates = [gate.get("conditionType", "") for gate in spec.get("readinessGates") or ()]
    met = sum(condition_is_true(pod, gate) for gate in gates)
    return f"{met}/{len(gates)}" if gates else NONE


POD = Printer(_COLUMNS, _row)
