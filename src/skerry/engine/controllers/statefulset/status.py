"""The status of a StatefulSet from its pods and revisions. Source: Kubernetes `computeReplicaStatus` and
`completeRollingUpdate` (`pkg/controller/statefulset`). Conditions are nobody's here, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from skerry.engine.controllers.pods import phase_of, seconds_until_available
from skerry.engine.controllers.statefulset.identity import revision_of
from skerry.kube.conditions import conditions_of
from skerry.kube.objects import Obj, is_deleting
from skerry.kube.records import record

_ALWAYS = ("replicas", "availableReplicas")


@record
class Revisions:
    """Names of the revision rolled out last and of that of today's template; how many names had been taken."""

    current: str
    update: str
    collisions: int


def known_revisions(owner: Obj) -> Revisions:
    """What the status says already."""
    status = owner.get("status") or {}
    return Revisions(
        status.get("currentRevision", ""), status.get("updateRevision", ""), int(status.get("collisionCount") or 0)
    )


def stateful_set_status(owner: Obj, pods: Sequence[Obj], revisions: Revisions, now: datetime) -> Obj:
    """The whole status; counts that are zero are absent, as Kubernetes writes it, but for two."""
    counts = _counts(owner, pods, revisions, now)
    current = revisions.current
    if _is_rolled_out(owner, counts):
        current, counts["currentReplicas"] = revisions.update, counts["updatedReplicas"]
    status: Obj = {
        "observedGeneration": int(owner["metadata"].get("generation") or 0),
        **{name: count for name, count in counts.items() if count or name in _ALWAYS},
        "currentRevision": current,
        "updateRevision": revisions.update,
        "collisionCount": revisions.collisions,
    }
    conditions = conditions_of(owner)
    return {**status, "conditions": conditions} if conditions else status


def seconds_until_next_available(owner: Obj, pods: Sequence[Obj], now: datetime) -> float | None:
    """When the next ready pod has been ready long enough, if any must wait."""
    minimum = int(owner["spec"].get("minReadySeconds") or 0)
    waits = [seconds_until_available(pod, minimum, now) for pod in pods] if minimum else []
    return min((wait for wait in waits if wait), default=None)


def _counts(owner: Obj, pods: Sequence[Obj], revisions: Revisions, now: datetime) -> dict[str, int]:
    minimum = int(owner["spec"].get("minReadySeconds") or 0)
    waits = [seconds_until_available(pod, minimum, now) for pod in pods if phase_of(pod) == "Running"]
    staying = [revision_of(pod) for pod in pods if not is_deleting(pod)]
    return {
        "replicas": len(pods),
        "readyReplicas": sum(wait is not None for wait in waits),
        "currentReplicas": staying.count(revisions.current),
        "updatedReplicas": staying.count(revisions.update),
        "availableReplicas": sum(wait == 0 for wait in waits),
    }


def _is_rolled_out(owner: Obj, counts: dict[str, int]) -> bool:
    wanted = int(owner["spec"].get("replicas", 1))
    rolling = (owner["spec"].get("updateStrategy") or {}).get("type") == "RollingUpdate"
    return rolling and all(counts[name] == wanted for name in ("replicas", "readyReplicas", "updatedReplicas"))
