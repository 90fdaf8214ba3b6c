"""Rules on the status of a Job, which the controller of another project (`spec.managedBy`) may write as well.

Source: `validateJobStatus` and `ValidateJobStatusUpdate` in Kubernetes' `pkg/apis/batch/validation`.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import duplicate, invalid, invalid_whole, required
from skerry.engine.schema.kinds.batch.index_lists import BadIndexes, Interval, first_common, intervals_of
from skerry.engine.schema.pods.resources import NOT_NEGATIVE
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_COUNTS = ("active", "succeeded", "failed", "ready", "terminating")
_TOGETHER = (
    ("Complete", "Failed", "cannot set Complete=True and Failed=true conditions"),
    ("Complete", "FailureTarget", "cannot set Complete=True and FailureTarget=true conditions"),
    ("SuccessCriteriaMet", "Failed", "cannot set SuccessCriteriaMet=True and Failed=true conditions"),
    ("SuccessCriteriaMet", "FailureTarget", "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"),
)
_REQUIRES = (
    ("Failed", "FailureTarget", "cannot set Failed=True condition without the FailureTarget=true condition"),
    (
        "Complete",
        "SuccessCriteriaMet",
        "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
    ),
)
_TERMINAL = ("Failed", "Complete", "FailureTarget")


def check_job_status(new: Obj, old: Obj) -> Iterator[Cause]:
    """Complaints about a changed status."""
    status, before = new.get("status") or {}, old.get("status") or {}
    if status == before:
        return
    yield from _check_counts(status)
    yield from _check_uncounted(status.get("uncountedTerminatedPods") or {})
    yield from _check_conditions(_true(status), _true(before))
    yield from _check_completion_time(status, before)
    if {"Complete", "Failed"} & _true(status):
        yield from _check_finished(status)
    yield from _check_indexes(new.get("spec") or {}, status)
    yield from _check_change(new.get("spec") or {}, status, before)


def _true(status: Obj) -> set[str]:
    return {one.get("type", "") for one in status.get("conditions") or () if one.get("status") == "True"}


def _check_counts(status: Obj) -> Iterator[Cause]:
    for name in _COUNTS:
        if (status.get(name) or 0) < 0:
            yield invalid(f"status.{name}", status[name], NOT_NEGATIVE)
    if (status.get("ready") or 0) > (status.get("active") or 0):
        yield invalid("status.ready", status["ready"], "cannot set more ready pods than active")


def _check_uncounted(uncounted: Obj) -> Iterator[Cause]:
    seen: set[str] = set()
    for outcome in ("succeeded", "failed"):
        for index, uid in enumerate(uncounted.get(outcome) or ()):
            field = f"status.uncountedTerminatedPods.{outcome}[{index}]"
            if not uid:
                yield invalid(field, uid, "must not be empty")
            elif uid in seen:
                yield duplicate(field, uid)
            seen.add(uid)


def _check_conditions(true: set[str], before: set[str]) -> Iterator[Cause]:
    field = "status.conditions"
    for one, other, why in _TOGETHER:
        if one in true and other in true:
            yield invalid_whole(field, why)
    for one, other, why in _REQUIRES:
        if one in true and other not in true:
            yield invalid_whole(field, why)
    for type_ in _TERMINAL:
        if type_ in before and type_ not in true:
            yield invalid_whole(field, f"cannot disable the terminal {type_}=True condition")
    if "SuccessCriteriaMet" in before and "SuccessCriteriaMet" not in true:
        yield invalid_whole(field, "cannot disable the SuccessCriteriaMet=True condition")


def _check_completion_time(status: Obj, before: Obj) -> Iterator[Cause]:
    field, time = "status.completionTime", status.get("completionTime")
    complete = "Complete" in _true(status)
    if time is None:
        if complete:
            yield required(field, "completionTime is required for Complete jobs")
        return
    if not complete:
        yield invalid(field, time, "cannot set completionTime when there is no Complete=True condition")
    if status.get("startTime") and time < status["startTime"]:
        yield invalid(field, time, "completionTime cannot be set before startTime")
    if before.get("completionTime") not in (None, time):
        yield invalid(field, time, "completionTime cannot be mutated")


def _check_finished(status: Obj) -> Iterator[Cause]:
    uncounted = status.get("uncountedTerminatedPods") or {}
    if status.get("active"):
        yield invalid("status.active", status["active"], "active>0 is invalid for finished job")
    if not status.get("startTime"):
        yield required("status.startTime", "startTime is required for finished job")
    if any(uncounted.values()):
        why = "uncountedTerminatedPods needs to be empty for finished job"
        yield invalid("status.uncountedTerminatedPods", uncounted, why)
    if status.get("terminating"):
        yield invalid("status.terminating", status["terminating"], "terminating>0 is invalid for finished job")


def _check_indexes(spec: Obj, status: Obj) -> Iterator[Cause]:
    completed, failed = status.get("completedIndexes") or "", status.get("failedIndexes")
    if completed and spec.get("completionMode") != "Indexed":
        why = "cannot set non-empty completedIndexes when non-indexed completion mode"
        yield invalid("status.completedIndexes", completed, why)
    if failed is not None and spec.get("backoffLimitPerIndex") is None:
        why = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        yield invalid("status.failedIndexes", failed, why)
    if spec.get("completions") is None:
        return
    read: list[list[Interval]] = []
    for name, text in (("completedIndexes", completed), ("failedIndexes", failed or "")):
        try:
            read.append(intervals_of(text, spec["completions"]))
        except BadIndexes as why_not:
            yield invalid(f"status.{name}", text, f"error parsing {name}: {why_not}")
    common = first_common(*read) if len(read) == 2 else None
    if common is not None:
        why = f"failedIndexes and completedIndexes overlap at index: {common}"
        yield invalid("status.failedIndexes", failed, why)


def _check_change(spec: Obj, status: Obj, before: Obj) -> Iterator[Cause]:
    indexed = spec.get("completionMode") == "Indexed"  # fewer completions make fewer successes
    for name in ("failed",) if indexed else ("failed", "succeeded"):
        if (status.get(name) or 0) < (before.get(name) or 0):
            yield invalid(f"status.{name}", status.get(name) or 0, f"cannot decrease the {name} counter")
    started = before.get("startTime")
    if started and status.get("startTime") != started and not spec.get("suspend"):
        yield required("status.startTime", "startTime cannot be removed for unsuspended job")
