"""What a project is granted, ready to be counted with. Pure, and remembered: it is asked for with every pod.

Raises `Ungranted` where that cannot be said, so that nothing is admitted that nobody granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from skerry.kube.objects import Obj, name_of, uid_of
from skerry.kube.quota.amounts import Amount, amounts
from skerry.kube.records import record
from skerry.platform.projects.tiers import granted
from skerry.platform.projects.types import ProjectSpec, TierSpec


class Ungranted(Exception):
    """Why it cannot be said; the text is for people."""


@record
class Allowance:
    """Of one project."""

    hard: Mapping[str, Amount]
    """The quota by the names of a ResourceQuota; what is missing has no limit."""
    hours: Mapping[str, float]
    """The budgets, by `cpuHours` and `gpuHours`; what is missing has no limit."""
    requests: Mapping[str, str]
    """What a container asks for that asks for nothing."""


def tier_of(project: Obj) -> str:
    """The name of its tier."""
    return str(project["spec"].get("tier") or "free")


def allowance(project: Obj, tier: Obj | None) -> Allowance:
    """What its tier and its overrides come to. Raises Ungranted."""
    if tier is None:
        raise Ungranted(
            f"project {name_of(project)} is of tier {tier_of(project)}, which does not exist: "
            "an operator has to make the tier or choose another (kubectl get tiers)"
        )
    return _allowance(_State(project), _State(tier))


class _State:
    """One state of an object, to be remembered by."""

    def __init__(self, obj: Obj) -> None:
        self.obj = obj
        self._key = (uid_of(obj), obj["metadata"].get("resourceVersion", ""))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _State) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=512)
def _allowance(project: _State, tier: _State) -> Allowance:
    name = name_of(project.obj)
    try:
        given = granted(name, name_of(tier.obj), TierSpec.of(tier.obj["spec"]), ProjectSpec.of(project.obj["spec"]))
        hours = {key: float(value) for key, value in given.budgets.dump().items()}
        requests = {**given.limits.default, **given.limits.default_request}
        return Allowance(amounts(given.quota), hours, requests)
    except ValueError as error:
        raise Ungranted(f"what project {name} is granted cannot be read: {error}") from None
