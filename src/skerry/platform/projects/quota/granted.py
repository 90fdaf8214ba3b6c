"""What a project is granted: its tier's quota and budgets, and what its overrides say instead. Pure.

Raises `Ungranted` where that cannot be said, so that nothing is admitted that nobody granted.
"""

from __future__ import annotations

from collections.abc import Mapping

from skerry.kube.objects import Obj, name_of
from skerry.kube.quota.amounts import Amount, amount

DEFAULT_TIER = "free"
BUDGETS = ("cpuHours", "gpuHours")


class Ungranted(Exception):
    """Why it cannot be said; the text is for people."""


def tier_of(project: Obj) -> str:
    """The name of its tier."""
    return str(project["spec"].get("tier") or DEFAULT_TIER)


def quota_of(project: Obj, tier: Obj | None) -> dict[str, Amount]:
    """The quota by the names of a ResourceQuota; {}: everything, without limit. Raises Ungranted."""
    return {name: _read(project, name, value) for name, value in _quantities(project, tier).items()}


def _quantities(project: Obj, tier: Obj | None) -> Mapping[str, object]:
    return {**(_spec_of(project, tier).get("quota") or {}), **(_overrides(project).get("quota") or {})}


def budgets_of(project: Obj, tier: Obj | None) -> dict[str, float]:
    """The budgets in hours, by `cpuHours` and `gpuHours`; what is missing has no limit. Raises Ungranted."""
    ours, theirs = _spec_of(project, tier).get("budgets") or {}, _overrides(project).get("budgets") or {}
    both = {name: theirs.get(name, ours.get(name)) for name in BUDGETS}
    return {name: float(value) for name, value in both.items() if value is not None}


def _spec_of(project: Obj, tier: Obj | None) -> Obj:
    if tier is None:
        raise Ungranted(
            f"project {name_of(project)} is of tier {tier_of(project)}, which does not exist: "
            "an operator has to make the tier or choose another (kubectl get tiers)"
        )
    spec: Obj = tier["spec"]
    return spec


def _overrides(project: Obj) -> Obj:
    return project["spec"].get("overrides") or {}


def _read(project: Obj, name: str, value: object) -> Amount:
    try:
        return amount(str(value))
    except ValueError as error:
        raise Ungranted(f"the quota of project {name_of(project)} cannot be read: {name}: {value}: {error}") from None
