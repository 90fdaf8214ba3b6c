"""Counting pods that have ended exactly once: which are counted now, and what the status says meanwhile. Pure.

Source: `trackJobStatusAndRemoveFinalizers` in Kubernetes' `job_controller.go`. First the uids stand in
`uncountedTerminatedPods`, then the finalizers go, then the uids become counts. An Indexed Job needs no uids for
successes: the index says what has been counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from skerry.engine.controllers.job.facts import index_of, is_failed, is_indexed, limits_each_index, valid_index
from skerry.engine.controllers.job.failure_policy import handling
from skerry.engine.controllers.job.indexes import Indexes
from skerry.engine.controllers.job.tally import Situation, Tally
from skerry.engine.controllers.job.verdict import Verdict
from skerry.engine.controllers.pods import phase_of
from skerry.kube.objects import Obj, is_deleting, uid_of

MOST_UNCOUNTED = 500
"""Pods counted in one go: their uids must fit into the status."""


class Count(NamedTuple):
    """`release`: pods to take the finalizer off once `status` is written. `all`: whether no pod had to be left over."""

    release: list[Obj]
    status: Obj
    all: bool


def count_ended(situation: Situation, tally: Tally, end: Verdict | None, status: Obj) -> Count:
    """Note pods that have ended, or whose Job has, in `status` (which stays as it is)."""
    job = situation.job
    uncounted = {name: list(situation.uncounted(name)) for name in ("succeeded", "failed")}
    indexes: list[int] = []
    release: list[Obj] = []
    complete = True
    for pod in _in_order(situation):
        if not situation.awaits_counting(pod) or not _may_go(pod, job, tally, end):
            continue
        if len(indexes) + sum(map(len, uncounted.values())) >= MOST_UNCOUNTED:
            complete = False
            break
        release.append(pod)
        _note(pod, situation, end, uncounted, indexes)
    counted = {**status, "uncountedTerminatedPods": {name: uids for name, uids in uncounted.items() if uids}}
    if is_indexed(job):
        counted |= _index_fields(tally, indexes, complete)
    return Count(release, counted, complete)


def settled(status: Obj, waiting: AbstractSet[str]) -> Obj:
    """The status after finalizers went: uids of pods that have none become counts. `waiting`: uids of pods with one."""
    uncounted = status.get("uncountedTerminatedPods") or {}
    left: Obj = {}
    counts: Obj = {}
    for outcome in ("succeeded", "failed"):
        uids = uncounted.get(outcome) or []
        kept = [uid for uid in uids if uid in waiting]
        counts[outcome] = int(status.get(outcome) or 0) + len(uids) - len(kept)
        if kept:
            left[outcome] = kept
    plain = {name: value for name, value in status.items() if name not in counts}
    return {**plain, **{name: n for name, n in counts.items() if n}, "uncountedTerminatedPods": left}


def _in_order(situation: Situation) -> Iterable[Obj]:
    if not is_indexed(situation.job):
        return situation.pods
    return sorted(situation.pods, key=lambda pod: -1 if (index := index_of(pod)) is None else index)


def _may_go(pod: Obj, job: Obj, tally: Tally, end: Verdict | None) -> bool:
    """Whether the pod is to be counted now. A failed one whose index goes on is kept until its successor is there."""
    if is_deleting(job) or end is not None or phase_of(pod) == "Succeeded":
        return True
    if not is_failed(pod, job):
        return False
    if not limits_each_index(job):
        return True
    index = index_of(pod)
    kept = tally.last_failed.get(index) if index is not None else None
    return kept is None or uid_of(kept) != uid_of(pod)


def _note(
    pod: Obj, situation: Situation, end: Verdict | None, uncounted: dict[str, list[str]], indexes: list[int]
) -> None:
    job, uid = situation.job, uid_of(pod)
    index = valid_index(pod, job)
    if phase_of(pod) == "Succeeded" and uid not in uncounted["failed"]:
        if is_indexed(job):
            indexes.extend([index] if index is not None else [])
        elif uid not in uncounted["succeeded"]:
            uncounted["succeeded"].append(uid)
    elif is_failed(pod, job) or (end is not None and not end.success):
        fits = not is_indexed(job) or index is not None
        if fits and uid not in uncounted["failed"] and handling(job, pod).counts:
            uncounted["failed"].append(uid)


def _index_fields(tally: Tally, indexes: list[int], complete: bool) -> Obj:
    """Indexes that succeeded, those of pods that are left for later excluded."""
    succeeded = tally.completed if complete else tally.counted.union(Indexes.of(indexes))
    fields: Obj = {"succeeded": len(succeeded), "completedIndexes": str(succeeded)}
    return {**fields, "failedIndexes": str(tally.failed_indexes)} if tally.failed_indexes is not None else fields
