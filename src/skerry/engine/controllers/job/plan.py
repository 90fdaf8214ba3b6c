"""Which pods a Job that goes on creates and which it gives up. Pure.

Source: `manageJob` in Kubernetes' `job_controller.go`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from skerry.engine.controllers.job.backoff import finished_at, remaining
from skerry.engine.controllers.job.facts import (
    index_of,
    is_indexed,
    is_suspended,
    limits_each_index,
    replaces_failed_only,
    valid_index,
)
from skerry.engine.controllers.job.indexes import Indexes
from skerry.engine.controllers.job.tally import Situation, Tally, all_index_failures
from skerry.engine.controllers.pod_control import MOST_AT_ONCE
from skerry.engine.controllers.replicaset.ranking import choose_victims
from skerry.kube.objects import Obj


class Plan(NamedTuple):
    """Either removals or creations, or a wait (seconds). `create`: an index for each pod, None where there is none."""

    delete: Sequence[Obj] = ()
    create: Sequence[int | None] = ()
    wait: float | None = None


def plan(situation: Situation, tally: Tally) -> Plan:
    """What brings the active pods to what is wanted."""
    wanted = _wanted(situation.job, tally)
    surplus = _surplus(situation, tally.active, max(0, len(tally.active) - wanted))
    if surplus:
        return Plan(delete=surplus if is_suspended(situation.job) else surplus[:MOST_AT_ONCE])
    ending = len(tally.terminating) if replaces_failed_only(situation.job) else 0
    missing = min(wanted - ending - len(tally.active), MOST_AT_ONCE)
    if missing <= 0:
        return Plan()
    if limits_each_index(situation.job):
        return _create_due_indexes(situation, tally, missing)
    wait = tally.backoff.remaining(situation.now)
    if wait > 0:
        return Plan(wait=wait)
    return Plan(create=_pending(situation, tally, missing) if is_indexed(situation.job) else [None] * missing)


def _wanted(job: Obj, tally: Tally) -> int:
    """How many pods should be active."""
    spec = job["spec"]
    if is_suspended(job):
        return 0
    if spec.get("completions") is None:
        return len(tally.active) if tally.succeeded else int(spec["parallelism"])
    return max(0, min(int(spec["parallelism"]), int(spec["completions"]) - tally.succeeded))


def _surplus(situation: Situation, active: Sequence[Obj], least: int) -> list[Obj]:
    """At least so many pods to remove: those without a proper index or with that of another first."""
    surplus, left = _misfits(situation, active) if is_indexed(situation.job) else ([], list(active))
    if len(surplus) < least:
        surplus += choose_victims(left, least - len(surplus), {}, situation.now)
    return surplus


def _misfits(situation: Situation, active: Sequence[Obj]) -> tuple[list[Obj], list[Obj]]:
    by_index: dict[int | None, list[Obj]] = defaultdict(list)
    for pod in active:
        by_index[valid_index(pod, situation.job)].append(pod)
    misfits, left = by_index.pop(None, []), []
    for twins in by_index.values():
        extra = choose_victims(twins, len(twins) - 1, {}, situation.now)
        misfits += extra
        left += [pod for pod in twins if pod not in extra]
    return misfits, left


def _pending(situation: Situation, tally: Tally, count: int) -> list[int]:
    """The first indexes that nobody works on and that have not ended."""
    busy = [*tally.active, *(tally.terminating if replaces_failed_only(situation.job) else ())]
    taken = tally.completed.union(Indexes.of(index for index in map(index_of, busy) if index is not None))
    if tally.failed_indexes is not None:
        taken = taken.union(tally.failed_indexes)
    return taken.missing(count, int(situation.job["spec"]["completions"]))


def _create_due_indexes(situation: Situation, tally: Tally, count: int) -> Plan:
    """Each index has a back-off of its own."""
    waits = {}
    for index in _pending(situation, tally, count):
        failed = tally.last_failed.get(index)
        waits[index] = 0.0
        if failed is not None:
            waits[index] = remaining(all_index_failures(failed) + 1, finished_at(failed), situation.now)
    due = [index for index, wait in waits.items() if not wait]
    later = min((wait for wait in waits.values() if wait), default=None)
    return Plan(create=due, wait=later)
