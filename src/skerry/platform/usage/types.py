"""The kinds of usage: a project's day, its month, and what its members are told.

Whole numbers are exact and what everything is worked out from; hours and GiB beside them are for people.
"""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from skerry.platform.base.kinds import AGE, Column, Kind, resource_of
from skerry.platform.base.model import Model, Name
from skerry.platform.usage.amounts import Amounts, Tally, Who, total_of

USAGE_DAYS = resource_of("usagedays", "UsageDay", namespaced=False)
USAGE_MONTHS = resource_of("usagemonths", "UsageMonth", namespaced=False)
USAGE_REPORTS = resource_of("usagereports", "UsageReport", namespaced=True)

MONTH_LABEL = "skerry.dev/month"
"""On UsageDays: `2026-11`."""
WEEK_LABEL = "skerry.dev/week"
"""On UsageDays: `2026-w47`, as ISO 8601 counts."""
USER_ANNOTATION = "skerry.dev/user"
"""On what people make in a project: who made it. Set by the platform, for good."""

_MEBIBYTES_OF_A_GIBIBYTE = 1024
_SECONDS_OF_AN_HOUR = 3600


class Exact(Model):
    """What was used, in whole numbers."""

    cpu_millicore_seconds: int = Field(default=0, ge=0, description="Requested by pods while they ran.")
    memory_mebibyte_seconds: int = Field(default=0, ge=0, description="Requested by pods while they ran.")
    gpu_seconds: int = Field(default=0, ge=0, description="Requested by pods while they ran.")
    storage_mebibyte_seconds: int = Field(default=0, ge=0, description="The size of bound claims.")
    cpu_used_milliseconds: int = Field(default=0, ge=0, description="Measured, where nodes tell.")
    egress_bytes: int = Field(default=0, ge=0, description="Sent by pods, measured, where nodes tell.")

    def amounts(self) -> Amounts:
        """To count with."""
        return Amounts(
            self.cpu_millicore_seconds,
            self.memory_mebibyte_seconds,
            self.gpu_seconds,
            self.storage_mebibyte_seconds,
            self.cpu_used_milliseconds,
            self.egress_bytes,
        )


class Entry(Exact):
    """Of one user in one namespace."""

    namespace: str = Field(default="", description='"" for what did not fit into 500 entries.')
    user: str = Field(default="", description='Who made it; "" when nobody knows.')


class Hours(Model):
    """The same for people, rounded."""

    cpu_hours: float = Field(default=0, ge=0, description="Hours of one CPU, requested.")
    memory_gib_hours: float = Field(default=0, ge=0, description="GiB times hours, requested.")
    gpu_hours: float = Field(default=0, ge=0, description="Hours of one GPU, requested.")
    storage_gib_hours: float = Field(default=0, ge=0, description="GiB times hours, claimed.")
    cpu_used_hours: float = Field(default=0, ge=0, description="Hours of one CPU, measured.")
    egress_gib: float = Field(default=0, ge=0, description="GiB sent, measured.")


class Counters(Model):
    """What a node last told of a pod: both only grow while it lives."""

    cpu_milliseconds: int = Field(default=0, ge=0)
    egress_bytes: int = Field(default=0, ge=0)


class UsageDaySpec(Model):
    """Whose day."""

    project: Name
    project_uid: str = Field(description="A project that is made anew under its name has accounts of its own.")
    day: date = Field(description="In UTC.")


class UsageStatus(Model):
    """What was used in a time."""

    entries: list[Entry] = Field(default=[], description="By namespace and user, 500 at most.")
    total: Hours = Field(default=Hours(), description="Of all entries.")


class UsageDayStatus(UsageStatus):
    """What was used on a day, so far."""

    counted_until: datetime | None = Field(default=None, description="Everything before it is in the entries, once.")
    counters: dict[str, Counters] = Field(default={}, description="By pod uid; of the newest day only.")


class UsageMonthSpec(Model):
    """Whose month."""

    project: Name
    project_uid: str
    month: str = Field(pattern=r"^\d{4}-\d{2}$", description="In UTC.")


class UsageMonthStatus(UsageStatus):
    """What was used in a month."""

    days: list[date] = Field(default=[], description="Those that are in it; their UsageDays are deleted.")


class UsageReportSpec(Model):
    """Of which time."""

    project: Name
    begins: date
    ends: date = Field(description="The last day.")


class ByName(Hours):
    """Of one day, namespace or user."""

    name: str


class Left(Model):
    """Of one budget, in hours, over the project's life."""

    used: float
    limit: float | None = None


class UsageReportStatus(Model):
    """What was used."""

    updated: datetime | None = None
    total: Hours = Field(default=Hours())
    before: Hours | None = Field(default=None, description="Of the week before; weekly reports only.")
    days: list[ByName] = Field(default=[])
    namespaces: list[ByName] = Field(default=[], description="Most CPU-hours first, 50 at most.")
    users: list[ByName] = Field(default=[], description="Most CPU-hours first, 50 at most.")
    budgets: dict[str, Left] = Field(default={}, description="As the project's status says.")


def hours_of(amounts: Amounts) -> Hours:
    """For people."""
    return Hours(
        cpu_hours=_rounded(amounts.cpu, 1000 * _SECONDS_OF_AN_HOUR),
        memory_gib_hours=_rounded(amounts.memory, _MEBIBYTES_OF_A_GIBIBYTE * _SECONDS_OF_AN_HOUR),
        gpu_hours=_rounded(amounts.gpu, _SECONDS_OF_AN_HOUR),
        storage_gib_hours=_rounded(amounts.storage, _MEBIBYTES_OF_A_GIBIBYTE * _SECONDS_OF_AN_HOUR),
        cpu_used_hours=_rounded(amounts.used_cpu, 1000 * _SECONDS_OF_AN_HOUR),
        egress_gib=_rounded(amounts.egress, 1024**3),
    )


def _rounded(number: int, unit: int) -> float:
    return round(number / unit, 4)


def entry_of(who: Who, amounts: Amounts) -> Entry:
    """As a resource has it."""
    namespace, user = who
    return Entry(
        namespace=namespace,
        user=user,
        cpu_millicore_seconds=amounts.cpu,
        memory_mebibyte_seconds=amounts.memory,
        gpu_seconds=amounts.gpu,
        storage_mebibyte_seconds=amounts.storage,
        cpu_used_milliseconds=amounts.used_cpu,
        egress_bytes=amounts.egress,
    )


def tally_of(status: UsageStatus) -> dict[Who, Amounts]:
    """To count with."""
    return {(one.namespace, one.user): one.amounts() for one in status.entries}


def entries_of(tally: Tally) -> list[Entry]:
    """In order."""
    return [entry_of(who, tally[who]) for who in sorted(tally)]


def total_hours(tally: Tally) -> Hours:
    """Of all entries."""
    return hours_of(total_of(tally.values()))


_TOTALS = (
    Column("CPU-hours", ".status.total.cpuHours", "number"),
    Column("Memory-GiBh", ".status.total.memoryGibHours", "number"),
    Column("GPU-hours", ".status.total.gpuHours", "number"),
    Column("Storage-GiBh", ".status.total.storageGibHours", "number"),
    Column("Egress-GiB", ".status.total.egressGib", "number", 1),
)
USAGE_DAY = Kind(
    USAGE_DAYS,
    UsageDaySpec,
    UsageDayStatus,
    columns=(
        Column("Project", ".spec.project"),
        Column("Day", ".spec.day"),
        *_TOTALS,
        Column("Counted-Until", ".status.countedUntil", "string", 1),
    ),
    description="What a project used on one day, by namespace and user. Written by the platform only.",
)
USAGE_MONTH = Kind(
    USAGE_MONTHS,
    UsageMonthSpec,
    UsageMonthStatus,
    columns=(Column("Project", ".spec.project"), Column("Month", ".spec.month"), *_TOTALS),
    description="What a project used in a month long ago, by namespace and user. Written by the platform only.",
)
USAGE_REPORT = Kind(
    USAGE_REPORTS,
    UsageReportSpec,
    UsageReportStatus,
    columns=(
        Column("Begins", ".spec.begins"),
        Column("Ends", ".spec.ends"),
        *_TOTALS,
        AGE,
    ),
    description="What a project used in a week, or lately, for its members. Written by the platform only.",
)
