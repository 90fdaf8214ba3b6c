"""What a node's conditions and taints should be, given whether its agent has been heard of. Pure.

Source: Kubernetes `pkg/controller/nodelifecycle`. Pods leave a node by its NoExecute taints (`taint_eviction`).
"""

from __future__ import annotations

from datetime import datetime

from skerry.engine.controllers.pods import is_ready
from skerry.kube.clock import rfc3339
from skerry.kube.conditions import condition_is_true, condition_of, conditions_of, find_condition, with_condition
from skerry.kube.objects import Obj

NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
CORDONED = "node.kubernetes.io/unschedulable"
_PRESSURES = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}
_REPORTED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
_OURS = frozenset({NOT_READY, UNREACHABLE, CORDONED, *_PRESSURES.values()})


def silent_conditions(node: Obj, now: datetime) -> list[Obj]:
    """The conditions of a node whose agent is silent: everything it reported is unknown."""
    conditions = conditions_of(node)
    for type_ in _REPORTED:
        old = find_condition(conditions, type_)
        if old is not None and old.get("status") == "Unknown":
            continue
        new: Obj = {"type": type_, "status": "Unknown"}
        if old is None:
            new |= {"reason": "NodeStatusNeverUpdated", "message": "Kubelet never posted node status."}
        else:
            new |= {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
            new["lastHeartbeatTime"] = old.get("lastHeartbeatTime", rfc3339(now))
        conditions = with_condition(conditions, new, now)
    return conditions


def loses_its_pods(node: Obj) -> bool:
    """Whether what its pods said last is no longer to be believed: it was ready, and now nobody hears of it."""
    return condition_is_true(node, "Ready")


def unready_condition(pod: Obj, now: datetime) -> Obj | None:
    """The condition of a pod on a silent node; None when it is not ready anyway."""
    if not is_ready(pod):
        return None
    return {**(condition_of(pod, "Ready") or {}), "status": "False", "lastTransitionTime": rfc3339(now)}


def wanted_taints(node: Obj, now: datetime) -> list[Obj]:
    """All taints the node should have: those of others as they are, ours by its conditions and `spec.unschedulable`."""
    spec = node.get("spec") or {}
    present = spec.get("taints") or []
    wanted = _condition_taints(node)
    if spec.get("unschedulable"):
        wanted.append((CORDONED, "NoSchedule"))
    kept = [taint for taint in present if taint["key"] not in _OURS or (taint["key"], taint["effect"]) in wanted]
    have = {(taint["key"], taint["effect"]) for taint in kept}
    return kept + [_taint(key, effect, now) for key, effect in wanted if (key, effect) not in have]


def _condition_taints(node: Obj) -> list[tuple[str, str]]:
    conditions = conditions_of(node)
    status = {condition["type"]: condition.get("status") for condition in conditions}
    taints: list[tuple[str, str]] = []
    if status.get("Ready", "Unknown") != "True":
        key = NOT_READY if status.get("Ready") == "False" else UNREACHABLE
        taints += [(key, "NoSchedule"), (key, "NoExecute")]
    return taints + [(key, "NoSchedule") for type_, key in _PRESSURES.items() if status.get(type_) == "True"]


def _taint(key: str, effect: str, now: datetime) -> Obj:
    return {"key": key, "effect": effect, "timeAdded": rfc3339(now)}
