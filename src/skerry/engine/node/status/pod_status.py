"""A pod's `status`, computed purely from what is known of it.

Source of the behaviour: the kubelet's `generateAPIPodStatus`, `getPhase` and `status/generate.go`. Invariant:
a pod that has Succeeded or Failed stays so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from skerry.engine.node.pods.plan import is_finished
from skerry.engine.node.pods.resizing import in_progress
from skerry.engine.node.pods.restarts import may_restart_all, outdated, will_restart
from skerry.engine.node.pods.state import (
    EVICTED,
    PodView,
    Termination,
    all_containers,
    init_containers,
    is_sidecar,
    main_containers,
    restart_policy,
)
from skerry.engine.node.status.containers import ephemeral_statuses, init_statuses, main_statuses
from skerry.kube.clock import rfc3339
from skerry.kube.conditions import conditions_of
from skerry.kube.objects import Obj
from skerry.kube.qos import qos_class

OUR_CONDITIONS = (
    "PodScheduled", "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodResizePending",
    "PodResizeInProgress", "AllContainersRestarting",
)  # fmt: skip
TERMINAL = ("Succeeded", "Failed")


def pod_status(view: PodView, host_ips: Sequence[str]) -> Obj:
    """The whole `status` to be written; keys with None are to be removed."""
    before: Obj = view.pod.get("status") or {}
    init, main = init_statuses(view), main_statuses(view)
    phase = _phase(view, init, main)
    status: Obj = {
        "phase": phase,
        "conditions": _conditions(view, phase, init, main),
        "containerStatuses": main,
        "hostIP": host_ips[0],
        "hostIPs": [{"ip": ip} for ip in host_ips],
        "startTime": before.get("startTime") or rfc3339(view.now),
        "qosClass": before.get("qosClass") or qos_class(view.pod["spec"]),
        "observedGeneration": view.pod["metadata"].get("generation", 1),
        **_addresses(view, host_ips),
        **_whole(view),
        **_reason(view, before),
    }
    if init:
        status["initContainerStatuses"] = init
    if ephemeral := ephemeral_statuses(view):
        status["ephemeralContainerStatuses"] = ephemeral
    return status


def _whole(view: PodView) -> Obj:
    """Resources of the pod as a whole, once they are in force."""
    applied = view.pod_applied
    if not applied:
        return {}
    requests = applied.get("requests")
    return {"resources": applied, **({"allocatedResources": requests} if requests else {})}


def _addresses(view: PodView, host_ips: Sequence[str]) -> Obj:
    if view.pod["spec"].get("hostNetwork"):
        ips = host_ips if view.sandbox else ()
    else:
        ips = view.sandbox.ips if view.sandbox else ()
    if not ips:
        return {}
    return {"podIP": ips[0], "podIPs": [{"ip": ip} for ip in ips]}


def _reason(view: PodView, before: Obj) -> Obj:
    if view.termination and view.termination.failed:
        return {"reason": view.termination.reason, "message": view.termination.message}
    if before.get("phase") in TERMINAL:
        return {key: before[key] for key in ("reason", "message") if key in before}
    return {"reason": None, "message": None}


def _phase(view: PodView, init: Sequence[Obj], main: Sequence[Obj]) -> str:
    before = (view.pod.get("status") or {}).get("phase")
    if before in TERMINAL:
        return str(before)
    if view.termination and view.termination.failed:
        return "Failed"
    ended = view.termination is not None and not view.running
    policy = _policy(view)
    if not _any_started(main):
        if policy == "Never" and any(_failed(status) for status in _regular(view, init)):
            return "Failed"
        return "Failed" if ended and _any_started(init) else "Pending"
    return _started_phase(main, "Never" if ended else policy)


def _policy(view: PodView) -> str:
    """The pod's restart policy, as far as the containers' own policies and rules leave it: "Never" once everything has
    ended for good, "Always" while something ended that will be started again."""
    if is_finished(view):
        return "Never"
    if outdated(view):
        return "Always"
    ends = ((container, view.latest(container["name"])) for container in all_containers(view.pod))
    if any(record and record.exited and will_restart(view.pod, container, record) for container, record in ends):
        return "Always"
    return restart_policy(view.pod)


def _started_phase(main: Sequence[Obj], policy: str) -> str:
    """The phase of a pod whose main containers have begun."""
    if any("waiting" in status["state"] and "terminated" not in status["lastState"] for status in main):
        return "Pending" if policy != "Never" or not _all_settled(main) else "Failed"
    if any("running" in status["state"] for status in main) or policy == "Always":
        return "Running"
    ends = [status["state"].get("terminated") or status["lastState"].get("terminated") or {} for status in main]
    if all(end.get("exitCode") == 0 for end in ends):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _all_settled(main: Sequence[Obj]) -> bool:
    return not any("running" in status["state"] for status in main)


def _any_started(statuses: Sequence[Obj]) -> bool:
    return any("waiting" not in status["state"] or "terminated" in status["lastState"] for status in statuses)


def _regular(view: PodView, init: Sequence[Obj]) -> list[Obj]:
    """Statuses of the init containers that have to end."""
    return [
        status for container, status in zip(init_containers(view.pod), init, strict=True) if not is_sidecar(container)
    ]


def _failed(status: Obj) -> bool:
    return bool(status["state"].get("terminated", {}).get("exitCode", 0))


def _conditions(view: PodView, phase: str, init: Sequence[Obj], main: Sequence[Obj]) -> list[Obj]:
    """Ours computed anew; those of others (readiness gates) as they were."""
    before = {condition["type"]: condition for condition in conditions_of(view.pod)}
    sandboxed = bool(view.sandbox and view.sandbox.ready)
    ready = _containers_ready(view, phase, main, init)
    computed = (
        ("PodReadyToStartContainers", sandboxed, "", ""),
        ("Initialized", *_initialized(view, phase, init)),
        ("Ready", *_with_gates(view, ready, before)),
        ("ContainersReady", *ready),
        ("PodScheduled", True, "", ""),
        *_resize_conditions(view),
        *_restart_conditions(view, phase),
    )
    if view.termination and view.termination.reason == EVICTED and "DisruptionTarget" not in before:
        before["DisruptionTarget"] = _disrupted(view.termination, view.now)
    generation = view.pod["metadata"].get("generation", 1)
    ours = [_condition(verdict, before.get(verdict[0]), generation, view.now) for verdict in computed]
    return [*ours, *(condition for type_, condition in before.items() if type_ not in OUR_CONDITIONS)]


def _disrupted(termination: Termination, now: datetime) -> Obj:
    """Why the node takes the pod's life."""
    return {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "TerminationByKubelet",
        "message": termination.message,
        "lastProbeTime": None,
        "lastTransitionTime": rfc3339(termination.since or now),
    }


def _resize_conditions(view: PodView) -> Iterator[tuple[str, bool, str, str]]:
    """Only there while a resize is not done."""
    if not in_progress(view) or view.termination:
        return
    if view.resize_pending:
        yield "PodResizePending", True, *view.resize_pending
    else:
        wait = view.resize_wait
        yield "PodResizeInProgress", True, *((wait.reason, wait.message) if wait else ("", ""))


def _restart_conditions(view: PodView, phase: str) -> Iterator[tuple[str, bool, str, str]]:
    """Only there where a rule may ask for it; True until every container has been made anew."""
    if may_restart_all(view.pod):
        reason = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase, "")
        yield "AllContainersRestarting", bool(outdated(view)) and not view.termination and not reason, reason, ""


def _condition(verdict: tuple[str, bool, str, str], before: Obj | None, generation: int, now: datetime) -> Obj:
    type_, holds, reason, message = verdict
    value = "True" if holds else "False"
    since = before["lastTransitionTime"] if before and before["status"] == value else rfc3339(now)
    condition: Obj = {
        "type": type_,
        "status": value,
        "observedGeneration": generation,
        "lastProbeTime": None,
        "lastTransitionTime": since,
    }
    condition.update({key: text for key, text in (("reason", reason), ("message", message)) if text})
    return condition


def _initialized(view: PodView, phase: str, init: Sequence[Obj]) -> tuple[bool, str, str]:
    if phase == "Succeeded":
        return True, "PodCompleted", ""
    began = any(view.latest(container["name"]) for container in main_containers(view.pod))
    incomplete = [
        status["name"]
        for container, status in zip(init_containers(view.pod), init, strict=True)
        if not (status["started"] if is_sidecar(container) else status["ready"])
    ]
    if incomplete and not began:
        return False, "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(incomplete)}]"
    return True, "", ""


def _containers_ready(view: PodView, phase: str, main: Sequence[Obj], init: Sequence[Obj]) -> tuple[bool, str, str]:
    if phase == "Succeeded":
        return False, "PodCompleted", ""
    if phase == "Failed":
        return False, "PodFailed", ""
    sidecars = [
        status for container, status in zip(init_containers(view.pod), init, strict=True) if is_sidecar(container)
    ]
    unready = [status["name"] for status in (*sidecars, *main) if not status["ready"]]
    if unready:
        return False, "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"
    return True, "", ""


def _with_gates(view: PodView, ready: tuple[bool, str, str], before: dict[str, Obj]) -> tuple[bool, str, str]:
    """Readiness gates: conditions others must have set to True before the pod counts as ready."""
    if not ready[0]:
        return ready
    gates = [gate["conditionType"] for gate in view.pod["spec"].get("readinessGates") or ()]
    missing = [gate for gate in gates if before.get(gate, {}).get("status") != "True"]
    if missing:
        return (
            False,
            "ReadinessGatesNotReady",
            f"corresponding condition of pod readiness gate {missing[0]!r} is not True",
        )
    return True, "", ""
