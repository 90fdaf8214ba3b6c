"""What an approved request changes. Pure: from a request and what there is to the objects that are wanted."""

from __future__ import annotations

from datetime import datetime, timedelta

from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj
from skerry.platform.projects.types import ProjectRequestSpec, ProjectSpec, TierSpec


def new_project(request: ProjectRequestSpec) -> Obj:
    """The project somebody asked for; what goes beyond its tier is an override."""
    overrides: Obj = {"quota": dict(request.quota), "budgets": request.budgets.dump()}
    spec: Obj = {"owner": request.requester, "description": request.reason}
    if request.tier:
        spec["tier"] = request.tier
    if request.quota or overrides["budgets"]:
        spec["overrides"] = overrides
    return {"metadata": {"name": request.project}, "spec": spec}


def more(request: ProjectRequestSpec) -> Obj:
    """The merge patch of a project that is granted more."""
    overrides: Obj = {"quota": dict(request.quota), "budgets": request.budgets.dump()}
    spec: Obj = {"overrides": {name: value for name, value in overrides.items() if value}}
    if request.tier:
        spec["tier"] = request.tier
    return {"spec": spec}


def longer(request: ProjectRequestSpec, end: datetime | None, now: datetime) -> Obj:
    """The merge patch of a project that goes on: from its end, or from now when that is over."""
    begun = max(end or now, now)
    return {"spec": {"expires": rfc3339(begun + timedelta(days=request.days or 0))}}


def approves_itself(request: ProjectRequestSpec, tier: TierSpec | None, owned: list[ProjectSpec]) -> bool:
    """Whether nobody has to decide: a first project of a tier that says so, with nothing beyond it."""
    beyond = request.quota or request.budgets.dump()
    if request.kind != "Project" or tier is None or tier.approval != "Automatic" or beyond:
        return False
    return not any(one.owner == request.requester and one.tier == (request.tier or "free") for one in owned)
