"""Which pods of a ReplicaSet go first when there are too many.

Source: Kubernetes `pkg/controller` `ActivePodsWithRanks`. In this order: not yet bound, Pending before Unknown before
Running, not ready, lower deletion cost, more siblings on the same node, ready for a shorter time, more restarts,
younger. Times are compared by the logarithm of their age, so that pods of about the same age go by uid (at random).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from skerry.engine.controllers.pods import is_ready, node_of, phase_of, ready_since
from skerry.kube.clock import parse_time
from skerry.kube.objects import Obj, annotations_of, uid_of

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def choose_victims(
    pods: Sequence[Obj], count: int, siblings_per_node: Mapping[str, int], now: datetime
) -> Sequence[Obj]:
    """The `count` pods to delete first. `siblings_per_node`: active pods of the same application, by node."""
    if count >= len(pods):
        return pods
    return sorted(pods, key=lambda pod: _rank(pod, siblings_per_node, now))[:count]


def _rank(pod: Obj, siblings_per_node: Mapping[str, int], now: datetime) -> tuple[object, ...]:
    node, ready = node_of(pod), is_ready(pod)
    return (
        bool(node),
        _PHASES.get(phase_of(pod), 2),
        ready,
        deletion_cost(pod),
        -siblings_per_node.get(node, 0),
        _age_rank(ready_since(pod), now) if ready else 0,
        -_restarts(pod),
        _age_rank(_created(pod), now),
        uid_of(pod),
    )


def deletion_cost(pod: Obj) -> int:
    """The annotation's value; 0 when absent or not an int32."""
    try:
        return int(annotations_of(pod).get(DELETION_COST, "0"))
    except ValueError:
        return 0


def _age_rank(moment: datetime | None, now: datetime) -> int:
    """The logarithm of an age, smaller for younger; nothing known counts as older than all."""
    if moment is None:
        return 1 << 30
    age = (now - moment).total_seconds()
    return math.floor(math.log2(age * 1e9)) if age > 0 else -1


def _created(pod: Obj) -> datetime | None:
    text = pod["metadata"].get("creationTimestamp")
    return parse_time(text) if text else None


def _restarts(pod: Obj) -> int:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return max((int(status.get("restartCount", 0)) for status in statuses), default=0)
