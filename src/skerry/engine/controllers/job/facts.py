"""What a Job and its pods say of themselves: modes and policies, completion indexes, failures. Pure.

Source: Kubernetes `pkg/controller/job` (`job_controller.go`, `indexed_job_utils.go`).
"""

from __future__ import annotations

from skerry.engine.controllers.pods import phase_of
from skerry.kube.conditions import conditions_of
from skerry.kube.objects import Obj, annotations_of, is_deleting

FINALIZER = "batch.kubernetes.io/job-tracking"
"""On every pod of a Job until it has been counted."""
COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index"
INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED_INDEX_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count"
MANAGER = "kubernetes.io/job-controller"
_LARGEST = 2**31 - 1


def is_indexed(job: Obj) -> bool:
    """Whether each completion has a number of its own."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def is_suspended(job: Obj) -> bool:
    """Whether it is asked to have no pods for now."""
    return bool(job["spec"].get("suspend"))


def limits_each_index(job: Obj) -> bool:
    """Whether failures are counted per index."""
    return job["spec"].get("backoffLimitPerIndex") is not None


def replaces_failed_only(job: Obj) -> bool:
    """Whether a pod on its way out is replaced, and counted, only once it has ended."""
    spec = job["spec"]
    return spec.get("podReplacementPolicy") == "Failed" or bool(spec.get("podFailurePolicy"))


def managed_elsewhere(job: Obj) -> bool:
    """Whether another controller has been named for it."""
    return bool(job["spec"].get("managedBy", MANAGER) != MANAGER)


def finished(job: Obj) -> Obj | None:
    """The condition that says that it is over: Complete or Failed."""
    ends = (one for one in conditions_of(job) if one.get("type") in ("Complete", "Failed"))
    return next((one for one in ends if one.get("status") == "True"), None)


def is_tracked(pod: Obj) -> bool:
    """Whether it still has to be counted."""
    return FINALIZER in (pod["metadata"].get("finalizers") or ())


def is_failed(pod: Obj, job: Obj) -> bool:
    """Whether it counts as failed: also when it was asked to go, unless only what has ended is replaced."""
    phase = phase_of(pod)
    if phase == "Failed":
        return True
    return not replaces_failed_only(job) and is_deleting(pod) and phase != "Succeeded"


def index_of(pod: Obj) -> int | None:
    """Its completion index; None without one that makes sense."""
    return _number(annotations_of(pod).get(COMPLETION_INDEX))


def valid_index(pod: Obj, job: Obj) -> int | None:
    """Its completion index if the Job has such a completion."""
    index = index_of(pod)
    return index if index is not None and index < int(job["spec"].get("completions") or 0) else None


def index_failures(pod: Obj) -> int:
    """How often its index had failed, and counted, before it was created."""
    return _number(annotations_of(pod).get(INDEX_FAILURES)) or 0


def ignored_index_failures(pod: Obj) -> int:
    """How often its index had failed without counting before it was created."""
    return _number(annotations_of(pod).get(IGNORED_INDEX_FAILURES)) or 0


def restarts_of(pod: Obj) -> int:
    """The sum of its containers' restarts, initial ones included."""
    status = pod.get("status") or {}
    both = (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))
    return sum(int(one.get("restartCount") or 0) for one in both)


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or int(text) > _LARGEST:
        return None
    return int(text)
