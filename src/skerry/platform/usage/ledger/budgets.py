"""What a project has used up of what it was given. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from skerry.kube.objects import Obj
from skerry.platform.usage.amounts import Amounts
from skerry.platform.usage.types import hours_of


def used_hours(lifetime: Amounts) -> Mapping[str, float]:
    """By budget."""
    hours = hours_of(lifetime)
    return {"cpuHours": hours.cpu_hours, "gpuHours": hours.gpu_hours}


def noted_hours(project: Obj) -> Mapping[str, float]:
    """What a project's status says that was used: of one that is idle, that is still so."""
    noted = (project.get("status") or {}).get("budgets") or {}
    return {name: float((noted.get(name) or {}).get("used", 0)) for name in ("cpuHours", "gpuHours")}


def budgets_status(used: Mapping[str, float], limits: Mapping[str, float]) -> Obj:
    """`status.budgets` of a Project: each budget of which something is used, or that is limited."""
    return {
        name: {"used": hours, **({"limit": limits[name]} if name in limits else {})}
        for name, hours in used.items()
        if hours or name in limits
    }


def budgets_patch(present: Obj, wanted: Obj) -> Obj:
    """As a merge patch: what is not wanted goes."""
    return {name: {"limit": None, **wanted[name]} if name in wanted else None for name in sorted({*present, *wanted})}
