"""CronJob. Source: `SetDefaults_CronJob`, `ValidateCronJobCreate`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from skerry.engine.schema.causes import invalid, not_supported, required
from skerry.engine.schema.kinds.apps.templates import check_count
from skerry.engine.schema.kinds.batch.job import check_job_spec, default_job_spec
from skerry.engine.schema.strategies import SpecStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

MAX_NAME = 52
"""Characters: eleven more name its jobs."""
_POLICIES = ("Allow", "Forbid", "Replace")
_FIELD = r"[0-9A-Za-z*?,/-]+"
_SCHEDULE = re.compile(
    rf"\s*(?:{_FIELD}(?:\s+{_FIELD}){{4}}|@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)|@every\s+\S+)\s*"
)


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
        name = obj["metadata"].get("name") or ""
        causes = list(_check_spec(obj.get("spec") or {}))
        if len(name) > MAX_NAME:
            causes.append(invalid("metadata.name", name, f"must be no more than {MAX_NAME} characters"))
        return causes


def _check_spec(spec: Obj) -> Iterator[Cause]:
    schedule = spec.get("schedule")
    if not schedule:
        yield required("spec.schedule")
    elif not _SCHEDULE.fullmatch(schedule):
        yield invalid("spec.schedule", schedule, "expected exactly 5 fields or a descriptor like @hourly")
    if spec.get("concurrencyPolicy") not in _POLICIES:
        yield not_supported("spec.concurrencyPolicy", spec.get("concurrencyPolicy", ""), _POLICIES)
    for name in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit", "startingDeadlineSeconds"):
        yield from check_count(spec, name)
    yield from check_job_spec((spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec")
