"""The status of a Deployment: counts, Available, Progressing with its deadline, ReplicaFailure.

Source: Kubernetes `pkg/controller/deployment` (progress.go, sync.go) and its `util`. Reasons and messages are theirs:
`kubectl rollout status` and people read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from skerry.engine.controllers.deployment.sizes import Limits, available_in, limits_of, replicas_of
from skerry.kube.clock import parse_time, rfc3339
from skerry.kube.conditions import condition_of, conditions_of, find_condition, with_condition, without_condition
from skerry.kube.objects import Obj, name_of
from skerry.kube.records import record

PROGRESSING, AVAILABLE, FAILURE = "Progressing", "Available", "ReplicaFailure"
_UNLIMITED = 2**31 - 1  # Kubernetes' way to say "no deadline"


@record
class Observed:
    """What the status is made from, after this round's changes. `created`: the current ReplicaSet was made just now;
    `creation_error`: it could not be; `rolling_out`: keep the Progressing condition up."""

    current: Obj | None
    others: Sequence[Obj]
    rolling_out: bool = True
    created: bool = False
    creation_error: str = ""

    @property
    def everyone(self) -> list[Obj]:
        """All ReplicaSets."""
        return [*([self.current] if self.current is not None else []), *self.others]


def deployment_status(deployment: Obj, observed: Observed, now: datetime) -> Obj:
    """The whole status; counts that are 0 are absent."""
    limits = limits_of(deployment)
    counts = _counts(deployment, observed)
    conditions = _available(conditions_of(deployment), limits, counts["availableReplicas"], now)
    status: Obj = {name: count for name, count in counts.items() if count}
    collisions = (deployment.get("status") or {}).get("collisionCount")
    if collisions is not None:
        status["collisionCount"] = collisions
    conditions = _progressing(deployment, observed, counts, conditions, now)
    status["conditions"] = _failure(observed, conditions, now) if observed.rolling_out else conditions
    return status


def _counts(deployment: Obj, observed: Observed) -> dict[str, int]:
    everyone = observed.everyone
    available = sum(available_in(one) for one in everyone)
    return {
        "observedGeneration": int(deployment["metadata"].get("generation") or 0),
        "replicas": _sum(everyone, "replicas"),
        "updatedReplicas": _sum([observed.current] if observed.current is not None else [], "replicas"),
        "readyReplicas": _sum(everyone, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(replicas_of(one) for one in everyone) - available),
        "terminatingReplicas": _sum(everyone, "terminatingReplicas"),
    }


def _sum(sets: Sequence[Obj], name: str) -> int:
    return sum(int((one.get("status") or {}).get(name) or 0) for one in sets)


def _available(conditions: list[Obj], limits: Limits, available: int, now: datetime) -> list[Obj]:
    if available >= limits.minimum:
        new = _condition(AVAILABLE, "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        message = "Deployment does not have minimum availability."
        new = _condition(AVAILABLE, "False", "MinimumReplicasUnavailable", message)
    return _set(conditions, new, now)


def _progressing(
    deployment: Obj, observed: Observed, counts: dict[str, int], conditions: list[Obj], now: datetime
) -> list[Obj]:
    if deadline_of(deployment) is None:
        return without_condition(conditions, PROGRESSING)
    conditions = _paused_or_resumed(deployment, conditions, now)
    if not observed.rolling_out:
        return conditions
    if observed.creation_error:
        new = _condition(PROGRESSING, "False", "ReplicaSetCreateError", observed.creation_error)
        return _set(conditions, new, now)
    conditions = _found_or_created(observed, conditions, now)
    before = find_condition(conditions, PROGRESSING)
    settled = before is not None and before.get("reason") == "NewReplicaSetAvailable"
    if settled and counts["replicas"] == counts["updatedReplicas"]:
        return conditions
    return _judge(deployment, observed, counts, conditions, now)


def _judge(
    deployment: Obj, observed: Observed, counts: dict[str, int], conditions: list[Obj], now: datetime
) -> list[Obj]:
    """Complete, getting on, or out of time."""
    what = f'ReplicaSet "{name_of(observed.current)}"' if observed.current else f'Deployment "{name_of(deployment)}"'
    if _is_complete(limits_of(deployment), counts):
        message = f"{what} has successfully progressed."
        return _set(conditions, _condition(PROGRESSING, "True", "NewReplicaSetAvailable", message), now)
    if _has_progressed(deployment.get("status") or {}, counts):
        message = f"{what} is progressing."
        new = _condition(PROGRESSING, "True", "ReplicaSetUpdated", message)
        return with_condition(conditions, {**new, "lastUpdateTime": rfc3339(now)}, now)
    left = seconds_to_deadline(deployment, conditions, now)
    if left is not None and left <= 0:
        message = f"{what} has timed out progressing."
        return _set(conditions, _condition(PROGRESSING, "False", "ProgressDeadlineExceeded", message), now)
    return conditions


def _paused_or_resumed(deployment: Obj, conditions: list[Obj], now: datetime) -> list[Obj]:
    paused = bool(deployment["spec"].get("paused"))
    before = find_condition(conditions, PROGRESSING) or {}
    if before.get("reason") == "ProgressDeadlineExceeded":
        return conditions  # why it stopped must stay visible
    if paused and before.get("reason") != "DeploymentPaused":
        new = _condition(PROGRESSING, "Unknown", "DeploymentPaused", "Deployment is paused")
        return _set(conditions, new, now)
    if not paused and before.get("reason") == "DeploymentPaused":
        new = _condition(PROGRESSING, "Unknown", "DeploymentResumed", "Deployment is resumed")
        return _set(conditions, new, now)
    return conditions


def _found_or_created(observed: Observed, conditions: list[Obj], now: datetime) -> list[Obj]:
    if observed.current is None:
        return conditions
    name = name_of(observed.current)
    if observed.created:
        new = _condition(PROGRESSING, "True", "NewReplicaSetCreated", f'Created new replica set "{name}"')
        return _set(conditions, new, now)
    if find_condition(conditions, PROGRESSING) is None:
        new = _condition(PROGRESSING, "True", "FoundNewReplicaSet", f'Found new replica set "{name}"')
        return _set(conditions, new, now)
    return conditions


def _failure(observed: Observed, conditions: list[Obj], now: datetime) -> list[Obj]:
    """The current ReplicaSet's failure, or else another's."""
    for one in observed.everyone:
        found = condition_of(one, FAILURE)
        if found is not None:
            new = _condition(FAILURE, found["status"], found.get("reason", ""), found.get("message", ""))
            return _set(conditions, new, now)
    return without_condition(conditions, FAILURE)


def _is_complete(limits: Limits, counts: dict[str, int]) -> bool:
    return counts["updatedReplicas"] == counts["replicas"] == counts["availableReplicas"] == limits.wanted


def _has_progressed(before: Obj, counts: dict[str, int]) -> bool:
    def was(name: str) -> int:
        return int(before.get(name) or 0)

    fewer_old = counts["replicas"] - counts["updatedReplicas"] < was("replicas") - was("updatedReplicas")
    more = any(counts[name] > was(name) for name in ("updatedReplicas", "readyReplicas", "availableReplicas"))
    return fewer_old or more


def deadline_of(deployment: Obj) -> float | None:
    """`progressDeadlineSeconds`; None for no deadline."""
    deadline = deployment["spec"].get("progressDeadlineSeconds")
    return None if deadline is None or int(deadline) >= _UNLIMITED else float(deadline)


def seconds_to_deadline(deployment: Obj, conditions: Sequence[Obj], now: datetime) -> float | None:
    """Time left for the next sign of progress; None when nothing is awaited."""
    deadline, condition = deadline_of(deployment), find_condition(conditions, PROGRESSING)
    if deadline is None or condition is None or deployment["spec"].get("paused"):
        return None
    if condition.get("reason") in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded"):
        return None
    since = parse_time(condition.get("lastUpdateTime") or condition["lastTransitionTime"])
    return (since + timedelta(seconds=deadline) - now).total_seconds()


def _condition(type_: str, status: str, reason: str, message: str) -> Obj:
    return {"type": type_, "status": status, "reason": reason, "message": message}


def _set(conditions: list[Obj], new: Obj, now: datetime) -> list[Obj]:
    """As Kubernetes: a condition that says the same with the same reason is left as it is, message included."""
    old = find_condition(conditions, new["type"])
    if old is not None and old.get("status") == new["status"] and old.get("reason") == new["reason"]:
        return conditions
    return with_condition(conditions, {**new, "lastUpdateTime": rfc3339(now)}, now)
