"""Why and by when a pod has to end: deletion, removal from the API, its own deadline, refusal, or because it has ended.

Pure. Source of the behaviour: the kubelet's `pod_workers.go` (grace periods) and `active_deadline.go`. Deadlines are in
steady time: what the API says by the wall clock is looked at once, when it is news.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from skerry.engine.node.pods.admission import refusal
from skerry.engine.node.pods.state import Termination
from skerry.kube.clock import parse_time
from skerry.kube.objects import Obj
from skerry.kube.records import record

_TERMINAL = ("Succeeded", "Failed")
_ROUNDING = timedelta(seconds=1)  # deletionTimestamp has whole seconds


@record
class Seen:
    """What the worker knows: the pod, the wall clock's time, steady time, when (steady) the pod began, whether the API
    has the pod no longer, why it is ending already."""

    pod: Obj
    now: datetime
    steady: datetime
    begun: datetime | None
    removed: bool
    before: Termination | None


def grace_of(pod: Obj) -> timedelta:
    """Seconds a deletion gives, or else the pod's own."""
    given = pod["metadata"].get("deletionGracePeriodSeconds")
    return timedelta(seconds=own_grace(pod) if given is None else given)


def own_grace(pod: Obj) -> int:
    """`spec.terminationGracePeriodSeconds`, 30 when absent."""
    seconds = pod["spec"].get("terminationGracePeriodSeconds")
    return 30 if seconds is None else int(seconds)


def termination(seen: Seen) -> Termination | None:
    """Whether the pod has to end. A deadline once given only moves forward in time, never back."""
    wanted = _deleted(seen) or _ended(seen) or _overdue(seen) or _refused(seen)
    if wanted is None or seen.before is None:
        return wanted or seen.before
    failed = seen.before if seen.before.failed else wanted
    deadline = min(wanted.deadline, seen.before.deadline)
    return replace(failed, deadline=deadline, deletion=wanted.deletion)


def deadline_at(pod: Obj, begun: datetime | None) -> datetime | None:
    """When `activeDeadlineSeconds` run out for a pod that began then; None without one or before it has begun."""
    seconds = pod["spec"].get("activeDeadlineSeconds")
    return begun + timedelta(seconds=seconds) if seconds is not None and begun else None


def _deleted(seen: Seen) -> Termination | None:
    if seen.removed:
        return Termination(
            seen.steady
        )  # somebody forced it: the node deletes the object only after everything has ended
    timestamp = seen.pod["metadata"].get("deletionTimestamp")
    if not timestamp:
        return None
    if seen.before is not None and seen.before.deletion == timestamp:
        return seen.before
    left = parse_time(timestamp) + _ROUNDING - seen.now
    return Termination(seen.steady + min(grace_of(seen.pod), left), deletion=timestamp)


def _ended(seen: Seen) -> Termination | None:
    """The API says the pod is over (evicted, or it was over before the engine was restarted)."""
    if (seen.pod.get("status") or {}).get("phase") not in _TERMINAL:
        return None
    return Termination(seen.steady + grace_of(seen.pod))


def _overdue(seen: Seen) -> Termination | None:
    due = deadline_at(seen.pod, seen.begun)
    if due is None or due > seen.steady:
        return None
    message = "Pod was active on the node longer than the specified deadline"
    return Termination(seen.steady + grace_of(seen.pod), True, "DeadlineExceeded", message)


def _refused(seen: Seen) -> Termination | None:
    refused = refusal(seen.pod)
    if refused is None:
        return None
    reason, message = refused
    return Termination(seen.steady, True, reason, f"Pod was rejected: {message}")
