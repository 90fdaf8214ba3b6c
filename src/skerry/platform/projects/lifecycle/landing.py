"""How far a project is on its way down, and what its people must be told. Pure.

An end is a date (the tier's lifetime, or `spec.expires`) or a budget that is used up. After it: Draining (nothing new
starts) for the tier's `drainHours`, then Hibernated (scaled to zero, everything kept), then, where the tier says so,
Archived (manifests and data kept elsewhere as well) and purged. An extension, a top-up or `state: Active` brings it
back.
Warnings come 14, 7 and 1 days before the date and before the purge, and at 75 and 90 % of a budget.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from skerry.kube.clock import parse_time
from skerry.kube.objects import Obj, annotations_of
from skerry.kube.records import record
from skerry.platform.projects.lifecycle.archiving.packing import ARCHIVES, archive_of
from skerry.platform.projects.tiers import granted_budgets
from skerry.platform.projects.types import SLEEPS_BECAUSE, Phase, ProjectSpec, TierSpec

_DAYS = (14, 7, 1)
_PERCENTS = (75, 90)
_HOW = "ask for more with `skerry requests create`, or have an operator extend it"
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
    purges: datetime | None = None
    """When everything is deleted."""


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
    budgets = _budgets(project, spec, tier)
    warnings = tuple(_warnings(end, budgets, now))
    over = _what_is_over(end, budgets, now)
    if spec.state == "Archived":
        return _archived(project, tier, "Archived", "archived as asked", now)
    if not over and spec.state == "Hibernated":
        why = annotations_of(project).get(SLEEPS_BECAUSE) or "asleep as asked"
        return Landing("Hibernated", "Hibernated", f"{why}: `skerry projects wake` brings it back", warnings, end)
    if not over:
        return Landing("Active", "Active", "", warnings, end, _next_moment(end, now))
    begun = draining_since or now
    begun = max(begun, end) if end is not None and end <= now else begun
    asleep = begun + timedelta(hours=tier.drain_hours if spec.state == "Active" else 0)
    if now < asleep:
        text = f"{over}: nothing new starts, and what runs is put to sleep at {asleep:%Y-%m-%d %H:%M} UTC; {_HOW}"
        return Landing("Draining", "Ending", text, warnings, end, (asleep - now).total_seconds())
    if tier.archive_days is None:
        return Landing("Hibernated", "Ended", f"{over}: it sleeps, its data is kept; {_HOW}", warnings, end)
    archived = asleep + timedelta(days=tier.archive_days)
    if now < archived:
        text = f"{over}: it sleeps, its data is kept, and it is archived on {archived:%Y-%m-%d}; {_HOW}"
        return Landing("Hibernated", "Ended", text, warnings, end, (archived - now).total_seconds())
    return replace(_archived(project, tier, "Ended", over, now), expires=end)


def _budgets(project: Obj, spec: ProjectSpec, tier: TierSpec) -> Obj:
    """What is used, as the status says; and the limits as they are now, which the status may not have heard of yet: a
    project that was topped up while nobody was there to note it must not be purged for its old ones."""
    limits = granted_budgets(tier, spec).dump()
    used: Obj = (project.get("status") or {}).get("budgets") or {}
    return {name: {"used": spent["used"], "limit": limits.get(name)} for name, spent in used.items()}


def _archived(project: Obj, tier: TierSpec, reason: str, why: str, now: datetime) -> Landing:
    """What may still be done, and until when."""
    kept = archive_of(project)
    if kept is None or tier.purge_days is None:
        text = f"{why}: it sleeps, and what it was is kept in {ARCHIVES}; {_HOW}"
        return Landing("Archived", reason, text)
    purges = parse_time(kept["time"]) + timedelta(days=tier.purge_days)
    text = f"{why}: everything in it is deleted on {purges:%Y-%m-%d %H:%M} UTC, its volumes as well; {_HOW}"
    close = [days for days in _DAYS if now < purges and purges - now <= timedelta(days=days)]
    marks = [Warned(f"{min(close)}d before the purge of {purges:%Y-%m-%dT%H:%MZ}", text)] if close else []
    return Landing("Archived", reason, text, tuple(marks), None, _next_moment(purges, now), purges)


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
