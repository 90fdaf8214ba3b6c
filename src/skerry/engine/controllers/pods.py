"""What controllers ask about a pod: is it active, ready, available, since when.

Source: Kubernetes `pkg/api/v1/pod` and `pkg/controller/controller_utils.go`.
"""

from __future__ import annotations

from datetime import datetime

from skerry.kube.clock import parse_time, time_left
from skerry.kube.conditions import condition_is_true, condition_of
from skerry.kube.objects import Obj, is_deleting

FINISHED_PHASES = ("Succeeded", "Failed")


def phase_of(pod: Obj) -> str:
    """`status.phase`; a pod without one is Pending."""
    return str((pod.get("status") or {}).get("phase") or "Pending")


def is_finished(pod: Obj) -> bool:
    """Whether all its containers have ended for good."""
    return phase_of(pod) in FINISHED_PHASES


def is_active(pod: Obj) -> bool:
    """Whether it counts as a replica: not finished and not asked to go."""
    return not is_deleting(pod) and not is_finished(pod)


def node_of(pod: Obj) -> str:
    """The node it is bound to, "" before."""
    return str((pod.get("spec") or {}).get("nodeName") or "")


def is_ready(pod: Obj) -> bool:
    """Whether its `Ready` condition holds."""
    return condition_is_true(pod, "Ready")


def ready_since(pod: Obj) -> datetime | None:
    """When it became ready; None when it is not, or does not say."""
    condition = condition_of(pod, "Ready")
    if condition is None or condition.get("status") != "True" or not condition.get("lastTransitionTime"):
        return None
    return parse_time(condition["lastTransitionTime"])


def seconds_until_available(pod: Obj, min_ready_seconds: int, now: datetime) -> float | None:
    """0 when the pod is available, the seconds left when it must stay ready longer, None when it is not ready."""
    if not is_ready(pod):
        return None
    if min_ready_seconds <= 0:
        return 0.0
    since = ready_since(pod)
    if since is None:
        return None
    return time_left(min_ready_seconds, since, now)


def replica_relevant(pod: Obj) -> tuple[object, ...]:
    """What a workload controller looks at: two states of a pod that agree in this need no second look."""
    metadata = pod["metadata"]
    condition = condition_of(pod, "Ready")
    return (
        metadata.get("labels"),
        metadata.get("ownerReferences"),
        metadata.get("deletionTimestamp"),
        phase_of(pod),
        (condition.get("status"), condition.get("lastTransitionTime")) if condition is not None else None,
    )
