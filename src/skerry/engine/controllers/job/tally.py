"""What there is: a Job's pods sorted and counted, before anything is decided. Pure.

Source: the first half of Kubernetes' `syncJob` (`pkg/controller/job/job_controller.go`). A pod with the tracking
finalizer is not in the counters of the status yet; one in `uncountedTerminatedPods` is on its way there.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from skerry.engine.controllers.job.backoff import Backoff, finished_at
from skerry.engine.controllers.job.facts import (
    ignored_index_failures,
    index_failures,
    index_of,
    is_failed,
    is_indexed,
    is_tracked,
    limits_each_index,
    valid_index,
)
from skerry.engine.controllers.job.failure_policy import handling
from skerry.engine.controllers.job.indexes import Indexes
from skerry.engine.controllers.pods import is_active, is_finished, is_ready, phase_of
from skerry.kube.objects import Obj, is_deleting, uid_of
from skerry.kube.records import record


@record
class Situation:
    """A Job, its pods, those of them whose finalizer is gone though the cache does not show it, the back-off so far."""

    job: Obj
    pods: Sequence[Obj]
    released: AbstractSet[str]
    backoff: Backoff
    now: datetime

    def uncounted(self, outcome: str) -> frozenset[str]:
        """Uids in `status.uncountedTerminatedPods`. outcome: "succeeded" or "failed"."""
        both = (self.job.get("status") or {}).get("uncountedTerminatedPods") or {}
        return frozenset(both.get(outcome) or ())

    def awaits_counting(self, pod: Obj) -> bool:
        """Whether its finalizer is still there."""
        return is_tracked(pod) and uid_of(pod) not in self.released


@record
class Tally:
    """Pods and numbers. For an Indexed Job `succeeded` is the number of indexes that have."""

    active: list[Obj]
    terminating: list[Obj]
    ready: int
    succeeded: int
    failed: int
    backoff: Backoff
    counted: Indexes
    """Indexes that `status.completedIndexes` has."""
    completed: Indexes
    """With those that succeeded since."""
    failed_indexes: Indexes | None
    """None unless failures are counted per index."""
    last_failed: dict[int, Obj]
    """By index the failed pod that its successor takes the number of failures over from; it stays until then."""


def tally(situation: Situation) -> Tally:
    """Count."""
    job, status = situation.job, situation.job.get("status") or {}
    active = [pod for pod in situation.pods if is_active(pod)]
    succeeded, failed = _new_ends(situation)
    counted, completed = _completed(situation) if is_indexed(job) else (Indexes(), Indexes())
    failed_indexes = _failed_indexes(situation) if limits_each_index(job) else None
    successes = int(status.get("succeeded") or 0) + len(succeeded) + len(situation.uncounted("succeeded"))
    return Tally(
        active=active,
        terminating=[pod for pod in situation.pods if is_deleting(pod) and not is_finished(pod)],
        ready=sum(is_ready(pod) for pod in active),
        succeeded=len(completed) if is_indexed(job) else successes,
        failed=int(status.get("failed") or 0)
        + sum(handling(job, pod).counts for pod in failed)
        + len(situation.uncounted("failed")),
        backoff=situation.backoff.after(succeeded, failed),
        counted=counted,
        completed=completed,
        failed_indexes=failed_indexes,
        last_failed=_last_failed(situation, active, completed, failed_indexes) if failed_indexes is not None else {},
    )


def _new_ends(situation: Situation) -> tuple[list[Obj], list[Obj]]:
    """Pods that succeeded and failed and are in no counter yet."""
    job = situation.job
    valid = [
        pod
        for pod in situation.pods
        if situation.awaits_counting(pod) and (not is_indexed(job) or valid_index(pod, job) is not None)
    ]
    known_good, known_bad = situation.uncounted("succeeded"), situation.uncounted("failed")
    good = [pod for pod in valid if phase_of(pod) == "Succeeded" and uid_of(pod) not in known_good]
    return good, [pod for pod in valid if is_failed(pod, job) and uid_of(pod) not in known_bad]


def _completed(situation: Situation) -> tuple[Indexes, Indexes]:
    job = situation.job
    text = (job.get("status") or {}).get("completedIndexes") or ""
    before = Indexes.parse(text, int(job["spec"]["completions"]))
    ended = (pod for pod in situation.pods if phase_of(pod) == "Succeeded" and is_tracked(pod))
    new = (index for index in (valid_index(pod, job) for pod in ended) if index is not None)
    return before, before.union(Indexes.of(new))


def _failed_indexes(situation: Situation) -> Indexes:
    job = situation.job
    text = (job.get("status") or {}).get("failedIndexes") or ""
    failed = (pod for pod in situation.pods if is_tracked(pod) and has_failed_index(pod, job))
    new = (index for index in (valid_index(pod, job) for pod in failed) if index is not None)
    return Indexes.parse(text, int(job["spec"]["completions"])).union(Indexes.of(new))


def has_failed_index(pod: Obj, job: Obj) -> bool:
    """Whether with this pod its index has failed for good."""
    if not is_failed(pod, job):
        return False
    found = handling(job, pod)
    if found.action == "FailIndex":
        return True
    return found.counts and index_failures(pod) >= int(job["spec"]["backoffLimitPerIndex"])


def _last_failed(situation: Situation, active: list[Obj], completed: Indexes, failed: Indexes) -> dict[int, Obj]:
    running = {index_of(pod) for pod in active}
    last: dict[int, Obj] = {}
    for pod in situation.pods:
        index = valid_index(pod, situation.job)
        if index is None or not situation.awaits_counting(pod) or not is_failed(pod, situation.job):
            continue
        if index in completed or index in failed or index in running:
            continue
        if index not in last or _is_later(pod, last[index]):
            last[index] = pod
    return last


def _is_later(pod: Obj, than: Obj) -> bool:
    return all_index_failures(pod) >= all_index_failures(than) and finished_at(pod) >= finished_at(than)


def all_index_failures(pod: Obj) -> int:
    """How often its index had failed before it was created, counted or not."""
    return index_failures(pod) + ignored_index_failures(pod)
