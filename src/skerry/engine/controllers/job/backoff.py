"""How long a failed pod's successor waits: ten seconds, then twice as long each time, up to ten minutes. Pure.

Source: Kubernetes `pkg/controller/job/backoff_utils.go`. A success starts it anew. Kept in memory, as there: after a
restart of the engine the next pod does not wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from skerry.kube.clock import parse_time, time_left
from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj

FIRST, LONGEST = 10.0, 600.0  # seconds


class Backoff(NamedTuple):
    """Failures of a Job's pods since the last success, and when the last one was."""

    failures: int = 0
    last: datetime | None = None

    def after(self, succeeded: Sequence[Obj], failed: Sequence[Obj]) -> Backoff:
        """With pods that have ended since."""
        ends = sorted(finished_at(pod) for pod in failed)
        if succeeded:
            success = max(finished_at(pod) for pod in succeeded)
            later = [end for end in ends if end > success]
            return Backoff(len(later), later[-1]) if later else Backoff()
        return Backoff(self.failures + len(ends), ends[-1]) if ends else self

    def remaining(self, now: datetime) -> float:
        """Seconds until the next pod may be created."""
        return remaining(self.failures, self.last, now)


def remaining(failures: int, last: datetime | None, now: datetime) -> float:
    """Seconds that are left of the wait after so many failures, the last one then."""
    if not failures or last is None:
        return 0.0
    wait = min(FIRST * 2.0 ** min(failures - 1, 30), LONGEST)
    return time_left(wait, last, now)


def finished_at(pod: Obj) -> datetime:
    """When it ended: by its containers, else since when it is not ready, else when it was asked to go."""
    status, metadata = pod.get("status") or {}, pod["metadata"]
    by_containers = _last_end(status.get("containerStatuses") or ())
    if by_containers is not None:
        return by_containers
    ready = condition_of(pod, "Ready")
    if ready is not None and ready.get("status") == "False" and ready.get("lastTransitionTime"):
        return parse_time(ready["lastTransitionTime"])
    if metadata.get("deletionTimestamp"):
        grace = timedelta(seconds=metadata.get("deletionGracePeriodSeconds") or 0)
        return parse_time(metadata["deletionTimestamp"]) - grace
    return parse_time(metadata["creationTimestamp"])


def _last_end(statuses: Iterable[Obj]) -> datetime | None:
    """When the last container ended, if all have."""
    ends = [((status.get("state") or {}).get("terminated") or {}).get("finishedAt") for status in statuses]
    if not all(ends):
        return None
    return max((parse_time(str(end)) for end in ends), default=None)
