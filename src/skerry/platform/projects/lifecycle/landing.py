"""How far a project is on its way down, and what its people must be told. Pure.

An end is a date (the tier's lifetime, or `spec.expires`) or a budget that is used up. After it: Draining (nothing new
starts) for the tier's `drainHours`, then Hibernated (scaled to zero, everything kept). An extension, a top-up or
`state: Active` brings it back. Warnings come 14, 7 and 1 days before the date, and at 75 and 90 % of a budget.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from skerry.kube.clock import parse_time
from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.platform.projects.types import Phase, ProjectSpec, TierSpec

_DAYS = (14, 7, 1)
_PERCENTS = (75, 90)
_BUDGETS = {"cpuHours": "CPU-hours", "gpuHours": "GPU-hours"}


@record
class Warned:
    """One thing to tell, once. `mark` names it for ever: another end or another limit is told anew."""

    mark: str
    message: str


@record
class Landing:
    """Where a project is, and since when it ends, if it does."""

    phase: Phase
    reason: str
    message: str
    warnings: tuple[Warned, ...] = ()
    expires: datetime | None = None
    again: float | None = None
    """Seconds until time alone changes something."""


def end_of(project: Obj, spec: ProjectSpec, tier: TierSpec) -> datetime | None:
    """The date a project ends, None for never."""
    if spec.expires is not None:
        return spec.expires
    if tier.lifetime_days is None:
        return None
    return parse_time(project["metadata"]["creationTimestamp"]) + timedelta(days=tier.lifetime_days)


def landing_of(
    project: Obj, spec: ProjectSpec, tier: TierSpec, draining_since: datetime | None, now: datetime
) -> Landing:
    """`draining_since`: when it was first seen at its end, None when it was not."""
    end = end_of(project, spec, tier)
    budgets: Obj = (project.get("status") or {}).get("budgets") or {}
    warnings = tuple(_warnings(end, budgets, now))
    if spec.state == "Hibernated":
        return Landing(
            "Hibernated", "Hibernated", "asleep as asked: `skerry projects wake` brings it back", warnings, end
        )
    over = _what_is_over(end, budgets, now)
    if not over:
        return Landing("Active", "Active", "", warnings, end, _next_moment(end, now))
    asleep = (draining_since or now) + timedelta(hours=tier.drain_hours)
    how = "ask for more with `skerry requests create`, or have an operator extend it"
    if now < asleep:
        text = f"{over}: nothing new starts, and what runs is put to sleep at {asleep:%Y-%m-%d %H:%M} UTC; {how}"
        return Landing("Draining", "Ending", text, warnings, end, (asleep - now).total_seconds())
    return Landing("Hibernated", "Ended", f"{over}: it sleeps, its data is kept; {how}", warnings, end)


def _what_is_over(end: datetime | None, budgets: Obj, now: datetime) -> str:
    if end is not None and now >= end:
        return f"the project ended on {end:%Y-%m-%d}"
    for name, said in _BUDGETS.items():
        spent = budgets.get(name) or {}
        if spent.get("limit") is not None and spent["used"] >= spent["limit"]:
            return f"its {spent['limit']:g} {said} are used up"
    return ""


def _warnings(end: datetime | None, budgets: Obj, now: datetime) -> Iterator[Warned]:
    if end is not None and now < end:
        close = [days for days in _DAYS if end - now <= timedelta(days=days)]
        if close:
            days = min(close)
            yield Warned(f"{days}d before {end:%Y-%m-%dT%H:%MZ}", f"the project ends on {end:%Y-%m-%d %H:%M} UTC")
    for name, said in _BUDGETS.items():
        spent = budgets.get(name) or {}
        limit = spent.get("limit")
        passed = [one for one in _PERCENTS if limit and spent["used"] * 100 >= one * limit]
        if passed:
            text = f"{spent['used']:g} of {limit:g} {said} are used ({max(passed)} %)"
            yield Warned(f"{max(passed)}% of {limit:g} {name}", text)


def _next_moment(end: datetime | None, now: datetime) -> float | None:
    if end is None:
        return None
    moments = [end, *(end - timedelta(days=days) for days in _DAYS)]
    return min(((one - now).total_seconds() for one in moments if one > now), default=None)
