"""When a CronJob's next Job starts, and which start is due. Pure.

Source: `mostRecentScheduleTime`, `nextScheduleTime` in Kubernetes' `pkg/controller/cronjob/utils.go`. Of several starts
that were missed only the last is made up for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from skerry.kube.clock import parse_time
from skerry.kube.cron import Schedule
from skerry.kube.objects import Obj

TOO_MANY_MISSED = 100
AFTER_THE_START = 0.1
"""Seconds that a look at the clock comes later than a start, so that it is not too early."""


class Impossible(ValueError):
    """A schedule that can be read but that no time fits; the message says so."""


class Due(NamedTuple):
    """The start that is due, None when none is, and whether suspiciously many have been missed."""

    at: datetime | None
    too_many_missed: bool = False


def due(cron_job: Obj, schedule: Schedule, now: datetime) -> Due:
    """What is due now. Raises Impossible."""
    return _most_recent(schedule, _earliest(cron_job, now, by_deadline=True), now, _deadline(cron_job) is not None)


def seconds_to_next(cron_job: Obj, schedule: Schedule, now: datetime) -> float | None:
    """Until the first start after the most recent one; None when there is none."""
    earliest = _earliest(cron_job, now, by_deadline=False)
    try:
        latest = _most_recent(schedule, earliest, now, False).at or earliest
    except Impossible:
        latest = now
    following = schedule.after(latest)
    return (following - now).total_seconds() + AFTER_THE_START if following is not None else None


def is_too_late(cron_job: Obj, start: datetime, now: datetime) -> bool:
    """Whether `spec.startingDeadlineSeconds` is over."""
    deadline = _deadline(cron_job)
    return deadline is not None and start + timedelta(seconds=deadline) < now


def _deadline(cron_job: Obj) -> int | None:
    seconds = cron_job["spec"].get("startingDeadlineSeconds")
    return None if seconds is None else int(seconds)


def _earliest(cron_job: Obj, now: datetime, *, by_deadline: bool) -> datetime:
    """Since when starts count: the last one, else the creation; with a deadline nothing that is older."""
    last = (cron_job.get("status") or {}).get("lastScheduleTime")
    since = parse_time(last or cron_job["metadata"]["creationTimestamp"])
    deadline = _deadline(cron_job)
    if by_deadline and deadline is not None:
        return max(since, now - timedelta(seconds=deadline))
    return since


def _most_recent(schedule: Schedule, earliest: datetime, now: datetime, has_deadline: bool) -> Due:
    first = schedule.after(earliest)
    second = schedule.after(first) if first is not None else None
    if first is None or second is None or (second - first).total_seconds() < 1:
        raise Impossible("time difference between two schedules is less than 1 second")
    if now < first:
        return Due(None)
    if now < second:
        return Due(first)
    if schedule.every:
        latest = first + timedelta(seconds=(now - first).total_seconds() // schedule.every * schedule.every)
    else:
        latest = _last(schedule, first, now)
    missed = (now - first).total_seconds() // (second - first).total_seconds() + 1  # roughly, as Kubernetes counts
    return Due(latest, missed > TOO_MANY_MISSED and not has_deadline)


def _last(schedule: Schedule, first: datetime, now: datetime) -> datetime:
    """The last start up to now, by halving: stepping through years of minutes would take too long."""
    found, low, high = first, 0, int((now - first).total_seconds()) + 1
    while high - low > 1:
        middle = (low + high) // 2
        start = schedule.after(first + timedelta(seconds=middle - 1))
        if start is not None and start <= now:
            found, low = start, middle
        else:
            high = middle
    return found
