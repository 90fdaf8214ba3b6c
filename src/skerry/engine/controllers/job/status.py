"""What a Job's status says: conditions, counts, times. Pure.

Source: `ensureJobConditionStatus` and `enactJobFinished` in Kubernetes' `job_controller.go`. Fields that are zero or
empty are absent where Kubernetes leaves them out.
"""

from __future__ import annotations

from datetime import datetime

from skerry.engine.controllers.job.facts import is_suspended
from skerry.engine.controllers.job.verdict import Verdict
from skerry.kube.clock import rfc3339
from skerry.kube.conditions import condition_is_true, find_condition, with_condition
from skerry.kube.objects import Obj

SUSPENDED = ("Suspended", "JobSuspended", "Job suspended")
"""The event's reason, the condition's, and the message of both."""
RESUMED = ("Resumed", "JobResumed", "Job resumed")
_SHOWN_EVEN_IF_EMPTY = ("uncountedTerminatedPods", "ready", "terminating", "failedIndexes")


def begun(job: Obj, now: datetime) -> Obj:
    """The status with the time of the first start, once it may start."""
    status = dict(job.get("status") or {})
    if not status.get("startTime") and not is_suspended(job):
        status["startTime"] = rfc3339(now)
    return status


def suspension_changed(job: Obj) -> bool:
    """Whether it was suspended or resumed and its conditions do not say so yet."""
    return condition_is_true(job, "Suspended") != is_suspended(job)


def with_suspension(job: Obj, status: Obj, now: datetime) -> Obj:
    """The status with the condition Suspended as it is now; the time runs from the last resumption."""
    if not suspension_changed(job):
        return status
    suspended = is_suspended(job)
    _, reason, message = SUSPENDED if suspended else RESUMED
    condition = {"type": "Suspended", "status": "True" if suspended else "False", "reason": reason, "message": message}
    changed = _with(status, condition, now)
    if suspended:
        changed.pop("startTime", None)
    else:
        changed["startTime"] = rfc3339(now)
    return changed


def with_interim(status: Obj, end: Verdict, now: datetime) -> Obj:
    """The status with the verdict, while pods may still be there."""
    known = find_condition(status.get("conditions") or [], end.interim)
    if known is not None and known.get("status") == "True":
        return status
    condition = {"type": end.interim, "status": "True", "reason": end.reason, "message": end.message}
    return _with(status, condition, now)


def with_end(status: Obj, end: Verdict, now: datetime) -> Obj:
    """The status of a Job that is over. It cannot have ended before it began, whatever the clock says by now."""
    condition = {"type": end.final, "status": "True", "reason": end.reason, "message": end.message}
    changed = _with(status, condition, now)
    completed = max(rfc3339(now), status.get("startTime") or "")
    return {**changed, "completionTime": completed} if end.success else changed


def with_counts(status: Obj, active: int, ready: int, terminating: int) -> Obj:
    """The status with how many pods there are."""
    return {**status, "active": active, "ready": ready, "terminating": terminating}


def shaped(status: Obj) -> Obj:
    """Without what Kubernetes leaves out."""
    return {name: value for name, value in status.items() if value or name in _SHOWN_EVEN_IF_EMPTY}


def _with(status: Obj, new: Obj, now: datetime) -> Obj:
    """The status with a condition, probed now."""
    probed = {**new, "lastProbeTime": rfc3339(now)}
    return {**status, "conditions": with_condition(status.get("conditions") or [], probed, now)}
