"""Prometheus text about projects. Pure. Source: prometheus.io, "Exposition formats" (text, version 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from skerry.kube.objects import Obj, name_of
from skerry.kube.quantities import parse_quantity

_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
Sample = tuple[Mapping[str, str], float]
_FAMILIES = {
    "project_quota_used_percent": "How much of a quota a project uses.",
    "project_budget_used_percent": "How much of a budget a project has used up.",
    "project_budget_used_hours": "Hours of a budget that a project has used up.",
    "project_phase": "1 for the phase that a project is in.",
}


def exposition(projects: Iterable[Obj]) -> str:
    """All families, each with its help, projects in order."""
    ordered = sorted(projects, key=name_of)
    lines: list[str] = []
    for family, text in _FAMILIES.items():
        lines += [f"# HELP {family} {text}", f"# TYPE {family} gauge"]
        for project in ordered:
            lines += [f"{family}{{{_labels(labels)}}} {value:g}" for labels, value in _samples(family, project)]
    return "\n".join([*lines, ""])


def _samples(family: str, project: Obj) -> Iterator[Sample]:
    status, label = project.get("status") or {}, {"project": name_of(project)}
    if family == "project_quota_used_percent":
        for resource, amount in sorted((status.get("quota") or {}).items()):
            used, hard = float(parse_quantity(amount["used"])), float(parse_quantity(amount["hard"]))
            yield {**label, "resource": resource}, percent(used, hard)
    elif family == "project_phase":
        if status.get("phase"):
            yield {**label, "phase": status["phase"]}, 1
    else:
        yield from _budget_samples(family, status.get("budgets") or {}, label)


def _budget_samples(family: str, budgets: Mapping[str, Obj], label: Mapping[str, str]) -> Iterator[Sample]:
    for name, budget in sorted(budgets.items()):
        labels = {**label, "budget": name}
        if family == "project_budget_used_hours":
            yield labels, budget["used"]
        elif budget.get("limit") is not None:
            yield labels, percent(budget["used"], budget["limit"])


def percent(used: float, hard: float) -> float:
    """Of nothing, nothing is used, or all of it."""
    if hard > 0:
        return round(100 * used / hard, 2)
    return 100.0 if used > 0 else 0.0


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{value.translate(_ESCAPED)}"' for name, value in labels.items())
