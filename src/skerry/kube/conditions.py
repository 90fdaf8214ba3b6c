"""Conditions in a status: find one, set one with Kubernetes' rule for the transition time, take one out.

All functions that change something return new lists; the lists given stay as they are. Source of the rule: Kubernetes
`apimachinery/pkg/api/meta/conditions.go`, and `UpdatePodCondition` of `pkg/api/v1/pod`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj


def conditions_of(obj: Obj) -> list[Obj]:
    """`status.conditions`, [] when absent."""
    return (obj.get("status") or {}).get("conditions") or []


def find_condition(conditions: Sequence[Obj], type_: str) -> Obj | None:
    """The condition of a type."""
    for condition in conditions:
        if condition.get("type") == type_:
            return condition
    return None


def condition_of(obj: Obj, type_: str) -> Obj | None:
    """The condition of a type in an object's status, whatever it says."""
    return find_condition(conditions_of(obj), type_)


def condition_is_true(obj: Obj, type_: str) -> bool:
    """Whether an object's status has the condition, and with status "True"."""
    condition = condition_of(obj, type_)
    return condition is not None and condition.get("status") == "True"


def without_condition(conditions: Sequence[Obj], type_: str) -> list[Obj]:
    """All but the condition of a type."""
    return [condition for condition in conditions if condition.get("type") != type_]


def with_condition(conditions: Sequence[Obj], new: Obj, now: datetime) -> list[Obj]:
    """`new` in its type's place, or at the end; its `lastTransitionTime` stays while its status stays."""
    old = find_condition(conditions, new["type"])
    moment = rfc3339(now)
    if old is not None and old.get("status") == new["status"]:
        moment = old.get("lastTransitionTime", moment)
    stamped = {**new, "lastTransitionTime": moment}
    if old is None:
        return [*conditions, stamped]
    return [stamped if condition is old else condition for condition in conditions]
