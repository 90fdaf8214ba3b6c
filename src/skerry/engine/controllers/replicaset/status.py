"""The status of a ReplicaSet from its pods. Source: Kubernetes `pkg/controller/replicaset/replica_set_utils.go`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from skerry.engine.controllers.pods import is_active, is_finished, is_ready, seconds_until_available
from skerry.kube.conditions import conditions_of, find_condition, with_condition, without_condition
from skerry.kube.objects import Obj, is_deleting, labels_of
from skerry.kube.records import record

REPLICA_FAILURE = "ReplicaFailure"


@record
class Failure:
    """Why the number of pods could not be brought to what is wanted. reason: "FailedCreate" or "FailedDelete"."""

    reason: str
    message: str


def replica_set_status(replica_set: Obj, pods: Sequence[Obj], failure: Failure | None, now: datetime) -> Obj:
    """The whole status; fields that are zero are absent, as Kubernetes writes it, but for `replicas`."""
    spec = replica_set["spec"]
    template_labels = ((spec["template"].get("metadata") or {}).get("labels") or {}).items()
    active = [pod for pod in pods if is_active(pod)]
    ready = [pod for pod in active if is_ready(pod)]
    minimum = int(spec.get("minReadySeconds") or 0)
    available = [pod for pod in ready if seconds_until_available(pod, minimum, now) == 0] if minimum else ready
    counts = {
        "terminatingReplicas": sum(is_deleting(pod) and not is_finished(pod) for pod in pods),
        "fullyLabeledReplicas": sum(template_labels <= labels_of(pod).items() for pod in active),
        "readyReplicas": len(ready),
        "availableReplicas": len(available),
        "observedGeneration": int(replica_set["metadata"].get("generation") or 0),
    }
    status: Obj = {"replicas": len(active), **{name: count for name, count in counts.items() if count}}
    conditions = _conditions(replica_set, failure, now)
    return {**status, "conditions": conditions} if conditions else status


def seconds_until_next_available(replica_set: Obj, pods: Sequence[Obj], now: datetime) -> float | None:
    """When the next ready pod has been ready long enough, if any must wait."""
    minimum = int(replica_set["spec"].get("minReadySeconds") or 0)
    waits = [seconds_until_available(pod, minimum, now) for pod in pods if is_active(pod)] if minimum else []
    return min((wait for wait in waits if wait), default=None)


def _conditions(replica_set: Obj, failure: Failure | None, now: datetime) -> list[Obj]:
    conditions = conditions_of(replica_set)
    if failure is None:
        return without_condition(conditions, REPLICA_FAILURE)
    if find_condition(conditions, REPLICA_FAILURE) is not None:
        return conditions
    new = {"type": REPLICA_FAILURE, "status": "True", "reason": failure.reason, "message": failure.message}
    return with_condition(conditions, new, now)
