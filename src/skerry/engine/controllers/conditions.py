"""Conditions in a status: find one, set one with Kubernetes' rule for the transition time, take one out.

All functions return new lists; the lists given stay as they are.
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
    return next((condition for condition in conditions if condition.get("type") == type_), None)


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
