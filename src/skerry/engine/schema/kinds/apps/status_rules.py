"""Rules on the counts in the status of workloads, which controllers and, through `/status`, anybody may write.

Source: `ValidateDeploymentStatus`, `ValidateReplicaSetStatus`, `ValidateStatefulSetStatus`, `validateDaemonSetStatus`.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import invalid
from skerry.engine.schema.pods.resources import NOT_NEGATIVE
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_PARTS = ("fullyLabeledReplicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")


def check_status(new: Obj, old: Obj, ready: str = "readyReplicas") -> list[Cause]:
    """Complaints about a changed status: no count is negative, none is more than all, collisions only grow. `ready` is
    how the message names the field that bounds the available ones."""
    status, before = new.get("status") or {}, old.get("status") or {}
    if status == before:
        return []
    return [*_check_counts(status), *_check_parts(status, ready), *_check_collisions(status, before)]


def _check_counts(status: Obj) -> Iterator[Cause]:
    for name, value in status.items():
        if isinstance(value, int) and value < 0:
            yield invalid(f"status.{name}", value, NOT_NEGATIVE)


def _check_parts(status: Obj, ready: str) -> Iterator[Cause]:
    if "desiredNumberScheduled" in status:
        return  # a DaemonSet's counts are of nodes, and not compared
    for name in _PARTS:
        if (status.get(name) or 0) > (status.get("replicas") or 0):
            yield invalid(f"status.{name}", status.get(name) or 0, "cannot be greater than status.replicas")
    available = status.get("availableReplicas") or 0
    if available > (status.get("readyReplicas") or 0):
        yield invalid("status.availableReplicas", available, f"cannot be greater than {ready}")


def _check_collisions(status: Obj, before: Obj) -> Iterator[Cause]:
    collisions = status.get("collisionCount") or 0
    if collisions < (before.get("collisionCount") or 0):
        yield invalid("status.collisionCount", collisions, "cannot be decremented")
