"""CronJob. Source: `SetDefaults_CronJob`, `ValidateCronJobCreate`, `ValidateCronJobUpdate`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from skerry.engine.schema.causes import invalid, not_supported, required
from skerry.engine.schema.kinds.apps.templates import check_count
from skerry.engine.schema.kinds.batch.job import default_job_spec
from skerry.engine.schema.kinds.batch.job_rules import check_job_spec
from skerry.engine.schema.strategies import SpecStrategy, set_default
from skerry.kube.cron import BadSchedule, parse_schedule, time_zone
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

MAX_NAME = 52
"""Characters: eleven more name its jobs."""
_POLICIES = ("Allow", "Forbid", "Replace")
_ZONE_PART = re.compile(r"[A-Za-z._0-9+][A-Za-z.\-_0-9+]{0,13}")


class CronJobStrategy(SpecStrategy):
    """Jobs by the clock."""

    def default(self, obj: Obj) -> None:
        """Runs may overlap; three successes and one failure are kept."""
        spec = obj.setdefault("spec", {})
        set_default(spec, "concurrencyPolicy", "Allow")
        set_default(spec, "suspend", False)
        set_default(spec, "successfulJobsHistoryLimit", 3)
        set_default(spec, "failedJobsHistoryLimit", 1)
        default_job_spec(spec.setdefault("jobTemplate", {}).setdefault("spec", {}))

    def initial_status(self, obj: Obj) -> None:
        """Never run yet."""
        obj["status"] = {}

    def validate(self, obj: Obj) -> list[Cause]:
        """Name, schedule, policies and the job."""
        name, spec = obj["metadata"].get("name") or "", obj.get("spec") or {}
        causes = [*_check_spec(spec), *_check_zone(spec.get("timeZone"))]
        if len(name) > MAX_NAME:
            causes.append(invalid("metadata.name", name, f"must be no more than {MAX_NAME} characters"))
        return causes

    def validate_change(self, new: Obj, old: Obj) -> list[Cause]:
        """A zone that was accepted once is not looked up again."""
        spec = new.get("spec") or {}
        zone = spec.get("timeZone")
        changed = zone != (old.get("spec") or {}).get("timeZone")
        return [*_check_spec(spec), *(_check_zone(zone) if changed else ())]


def _check_spec(spec: Obj) -> Iterator[Cause]:
    yield from _check_schedule(spec.get("schedule"))
    if spec.get("concurrencyPolicy") not in _POLICIES:
        yield not_supported("spec.concurrencyPolicy", spec.get("concurrencyPolicy", ""), _POLICIES)
    for name in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit", "startingDeadlineSeconds"):
        yield from check_count(spec, name)
    job, field = (spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec"
    yield from check_job_spec(job, field)
    if job.get("selector") is not None:
        yield invalid(f"{field}.selector", job["selector"], "`selector` will be auto-generated")
    if job.get("manualSelector"):
        yield not_supported(f"{field}.manualSelector", True, ("nil", "false"))


def _check_schedule(schedule: str | None) -> Iterator[Cause]:
    if not schedule:
        yield required("spec.schedule")
        return
    if "TZ" in schedule:
        why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        yield invalid("spec.schedule", schedule, why)
        return
    try:
        parse_schedule(schedule)
    except BadSchedule as why_not:
        yield invalid("spec.schedule", schedule, str(why_not))


def _check_zone(zone: str | None) -> Iterator[Cause]:
    if zone is None:
        return
    field = "spec.timeZone"
    if not zone:
        yield invalid(field, zone, "timeZone must be nil or non-empty string")
        return
    if any(part in (".", "..") or not _ZONE_PART.fullmatch(part) for part in zone.split("/")):
        yield invalid(field, zone, f"unknown time zone {zone}")
        return
    if zone.lower() == "local":
        why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        yield invalid(field, zone, why)
        return
    try:
        time_zone(zone)
    except ValueError as why_not:
        yield invalid(field, zone, str(why_not))
