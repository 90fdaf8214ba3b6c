"""What a CronJob does now, given its Jobs and the time. Pure. Source: `syncCronJob` in Kubernetes'
`pkg/controller/cronjob/cronjob_controllerv2.go`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from skerry.engine.controllers.cronjob.timing import Impossible, due, is_too_late, seconds_to_next
from skerry.engine.controllers.job.facts import finished
from skerry.kube.clock import parse_time, rfc3339
from skerry.kube.cron import BadSchedule, parse_schedule
from skerry.kube.events import EventType
from skerry.kube.objects import Obj, controller_of, name_of, namespace_of, owner_reference, uid_of
from skerry.kube.resources import CRON_JOBS, JOBS

SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
Told = tuple[EventType, str, str]
"""An event: type, reason, message."""


@dataclass(slots=True)
class Plan:
    """`start`: the time of the Job to create. `replace`: references to active Jobs that go first. `wait`: seconds."""

    start: datetime | None = None
    replace: Sequence[Obj] = ()
    wait: float | None = None
    events: list[Told] = field(default_factory=list)


def plan(cron_job: Obj, now: datetime) -> Plan:
    """What to start. `status.active` must be as `still_active` gives it."""
    spec = cron_job["spec"]
    try:
        schedule = parse_schedule(spec["schedule"], spec.get("timeZone"))
    except BadSchedule as why_not:
        message = f'unparseable schedule: "{spec["schedule"]}" : {why_not}'
        return Plan(events=[("Warning", "UnparseableSchedule", message)])
    except ValueError as why_not:
        return Plan(events=[("Warning", "UnknownTimeZone", f'invalid timeZone: "{spec["timeZone"]}": {why_not}')])
    if spec.get("suspend"):
        return Plan()
    try:
        found = due(cron_job, schedule, now)
    except Impossible as why_not:
        return Plan(events=[("Warning", "InvalidSchedule", f"invalid schedule: {spec['schedule']} : {why_not}")])
    decided = Plan(wait=seconds_to_next(cron_job, schedule, now))
    if found.too_many_missed:
        why = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
        decided.events.append(("Warning", "TooManyMissedTimes", why))
    if found.at is not None:
        _consider(cron_job, found.at, now, decided)
    return decided


def wait_after_change(cron_job: Obj, now: datetime) -> float:
    """Seconds until a CronJob whose schedule was changed has its next start; 0 to look at it at once."""
    try:
        schedule = parse_schedule(cron_job["spec"]["schedule"], cron_job["spec"].get("timeZone"))
    except ValueError:
        return 0.0
    return seconds_to_next(cron_job, schedule, now) or 0.0


def _consider(cron_job: Obj, start: datetime, now: datetime, decided: Plan) -> None:
    """Whether the start that is due happens."""
    status, policy = cron_job.get("status") or {}, cron_job["spec"].get("concurrencyPolicy")
    active = status.get("active") or []
    if is_too_late(cron_job, start, now):
        told = f"Missed scheduled time to start a job: {start.strftime('%a, %d %b %Y %H:%M:%S +0000')}"
        decided.events.append(("Warning", "MissSchedule", told))
        return
    started = any(one.get("name") == job_name(cron_job, start) for one in active)
    if started or status.get("lastScheduleTime") == rfc3339(start):
        return
    if policy == "Forbid" and active:
        why = "Not starting job because prior execution is running and concurrency policy is Forbid"
        decided.events.append(("Normal", "JobAlreadyActive", why))
        return
    decided.start = start
    decided.replace = active if policy == "Replace" else ()


def job_name(cron_job: Obj, start: datetime) -> str:
    """The name of the Job that starts then: the same time gives the same name, so that none is started twice."""
    return f"{name_of(cron_job)}-{int(start.timestamp()) // 60}"


def build_job(cron_job: Obj, start: datetime) -> Obj:
    """The Job of a start."""
    template = cron_job["spec"]["jobTemplate"]
    given = template.get("metadata") or {}
    zone = cron_job["spec"].get("timeZone")
    schedule = parse_schedule(cron_job["spec"]["schedule"], zone)
    local = start.astimezone(schedule.zone).isoformat().replace("+00:00", "Z")
    metadata: Obj = {
        "name": job_name(cron_job, start),
        "namespace": namespace_of(cron_job),
        "annotations": {**(given.get("annotations") or {}), SCHEDULED_AT: local},
        "ownerReferences": [owner_reference(cron_job, CRON_JOBS)],
    }
    if given.get("labels"):
        metadata["labels"] = given["labels"]
    return {"apiVersion": JOBS.api_version, "kind": JOBS.kind, "metadata": metadata, "spec": template["spec"]}


def reference_to(job: Obj) -> Obj:
    """The entry of a Job in `status.active`."""
    return {
        "apiVersion": JOBS.api_version,
        "kind": JOBS.kind,
        "name": name_of(job),
        "namespace": namespace_of(job),
        "resourceVersion": job["metadata"]["resourceVersion"],
        "uid": uid_of(job),
    }


def jobs_of(cron_job: Obj, jobs: Iterable[Obj]) -> list[Obj]:
    """The Jobs that it controls."""
    return [job for job in jobs if (controller_of(job) or {}).get("uid") == uid_of(cron_job)]


def observed(cron_job: Obj, jobs: Sequence[Obj], gone: Iterable[str]) -> tuple[Obj, list[Told]]:
    """The status as its Jobs make it, and what there is to tell. `gone`: uids of active Jobs that are not there."""
    status = dict(cron_job.get("status") or {})
    active = {one["uid"]: one for one in status.get("active") or ()}
    told: list[Told] = []
    for job in jobs:
        end = finished(job)
        if uid_of(job) not in active:
            if end is None:
                what = f"Saw a job that the controller did not create or forgot: {name_of(job)}"
                told.append(("Warning", "UnexpectedJob", what))
        elif end is not None:
            del active[uid_of(job)]
            told.append(("Normal", "SawCompletedJob", f"Saw completed job: {name_of(job)}, condition: {end['type']}"))
        if end is not None and end["type"] == "Complete":
            _note_success(status, job)
    for uid in gone:
        if uid in active:
            told.append(("Normal", "MissingJob", f"Active job went missing: {active.pop(uid)['name']}"))
    status["active"] = list(active.values())
    return shaped(status), told


def shaped(status: Obj) -> Obj:
    """Without an empty list of active Jobs, which Kubernetes leaves out."""
    return {name: value for name, value in status.items() if name != "active" or value}


def _note_success(status: Obj, job: Obj) -> None:
    ended = (job.get("status") or {}).get("completionTime")
    known = status.get("lastSuccessfulTime")
    if ended and (not known or parse_time(ended) > parse_time(known)):
        status["lastSuccessfulTime"] = ended


def superfluous(cron_job: Obj, jobs: Sequence[Obj]) -> list[Obj]:
    """Finished Jobs beyond the two history limits, the oldest."""
    ends = [(job, finished(job)) for job in jobs]
    found: list[Obj] = []
    for type_, limit in (("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")):
        most = cron_job["spec"].get(limit)
        ended = [job for job, end in ends if end is not None and end["type"] == type_]
        if most is not None and len(ended) > most:
            found += sorted(ended, key=_started)[: len(ended) - most]
    return found


def _started(job: Obj) -> tuple[bool, str, str]:
    start = (job.get("status") or {}).get("startTime")
    return start is None, start or "", name_of(job)
