"""Reports from what the ledger knows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.platform.usage.amounts import Amounts, Tally, Who, together, total_of
from skerry.platform.usage.ledger.days import week_of
from skerry.platform.usage.projects import PROJECT_LABEL
from skerry.platform.usage.types import (
    USAGE_REPORTS,
    ByName,
    Hours,
    Left,
    UsageReportSpec,
    UsageReportStatus,
    hours_of,
)

RECENT = "recent"
DAYS_OF_RECENT = 31
WEEKS_KEPT = 13
_MOST_NAMED = 50
_WEEK = timedelta(days=7)


@record
class Subject:
    """What a report is about."""

    project: str
    begins: date
    ends: date


def last_week(today: date) -> Subject:
    """The newest that is over, from Monday to Sunday; without its project."""
    monday = today - timedelta(days=today.weekday())
    return Subject("", monday - _WEEK, monday - timedelta(days=1))


def lately(today: date) -> Subject:
    """The last days, and today; without its project."""
    return Subject("", today - timedelta(days=DAYS_OF_RECENT - 1), today)


def week_name(begins: date) -> str:
    """`week-2026-w47`: sorts by time."""
    return f"week-{week_of(begins)}"


def is_outdated(name: str, today: date) -> bool:
    """Whether a weekly report has been kept long enough."""
    oldest = last_week(today).begins - (WEEKS_KEPT - 1) * _WEEK
    return name.startswith("week-") and name < week_name(oldest)


def new_report(subject: Subject, name: str, namespace: str) -> Obj:
    """Without what it says."""
    spec = UsageReportSpec(project=subject.project, begins=subject.begins, ends=subject.ends)
    return {
        "apiVersion": USAGE_REPORTS.api_version,
        "kind": USAGE_REPORTS.kind,
        "metadata": {"name": name, "namespace": namespace, "labels": {PROJECT_LABEL: subject.project}},
        "spec": spec.dump(),
    }


def report(subject: Subject, days: Mapping[date, Tally], budgets: Mapping[str, Obj], now: datetime) -> Obj:
    """What it says."""
    chosen = within(subject, days)
    all_of = together(*chosen.values())
    return UsageReportStatus(
        updated=now.replace(microsecond=0),
        total=_total(all_of),
        days=[_named(day.isoformat(), total_of(tally.values())) for day, tally in sorted(chosen.items())],
        namespaces=_grouped(all_of, lambda who: who[0]),
        users=_grouped(all_of, lambda who: who[1]),
        budgets={name: Left.of(budget) for name, budget in budgets.items()},
    ).dump()


def weekly(subject: Subject, days: Mapping[date, Tally], budgets: Mapping[str, Obj], now: datetime) -> Obj:
    """The same, beside the week before."""
    earlier = within(Subject(subject.project, subject.begins - _WEEK, subject.ends - _WEEK), days)
    return {**report(subject, days, budgets, now), "before": _total(together(*earlier.values())).dump()}


def within(subject: Subject, days: Mapping[date, Tally]) -> dict[date, Tally]:
    """Those it is about."""
    return {day: tally for day, tally in days.items() if subject.begins <= day <= subject.ends}


def _total(tally: Tally) -> Hours:
    return hours_of(total_of(tally.values()))


def _grouped(tally: Tally, name_of: Callable[[Who], str]) -> list[ByName]:
    sums: dict[str, Amounts] = {}
    for who, amounts in tally.items():
        sums[name_of(who)] = sums.get(name_of(who), Amounts()).plus(amounts)
    ordered = sorted(sums, key=lambda name: (sums[name], name), reverse=True)
    return [_named(name, sums[name]) for name in ordered[:_MOST_NAMED]]


def _named(name: str, amounts: Amounts) -> ByName:
    return ByName(name=name, **hours_of(amounts).model_dump())
