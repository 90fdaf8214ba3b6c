"""Which names a definition gets, and what its conditions say of it. Pure.

The first to ask has a name; resources, singulars and short names share one space in a group, kinds and list kinds
another. Source: `pkg/controller/status/naming_controller.go` and `apiapproval` of the apiextensions server.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from skerry.engine.schema.custom.approval import approval_of, is_protected
from skerry.kube.conditions import find_condition, with_condition
from skerry.kube.objects import Obj
from skerry.kube.records import record

Condition = tuple[str, str, str, str]
"""Type, status, reason, message."""
ESTABLISHED: Condition = ("Established", "True", "InitialNamesAccepted", "the initial names have been accepted")
_NOT_ACCEPTED: Condition = ("Established", "False", "NotAccepted", "not all names are accepted")
_NO_CONFLICTS: Condition = ("NamesAccepted", "True", "NoConflicts", "no conflicts found")


@record
class Names:
    """The outcome. `conditions` are those to be set."""

    accepted: Obj
    conditions: tuple[Condition, ...]

    @property
    def established(self) -> bool:
        """Whether the definition is to be served from now on."""
        return ESTABLISHED in self.conditions


def decide_names(definition: Obj, others: Iterable[Obj]) -> Names:
    """What a definition's names come to. `others`: the accepted names of the group's other definitions."""
    listed = list(others)
    resources = {
        name for each in listed for name in (each.get("plural"), each.get("singular"), *(each.get("shortNames") or ()))
    }
    kinds = {name for each in listed for name in (each.get("kind"), each.get("listKind"))}
    wanted, status = definition["spec"]["names"], definition.get("status") or {}
    accepted = dict(status.get("acceptedNames") or {})
    conflict: Condition | None = None
    for field, taken in (
        ("plural", resources), ("singular", resources), ("shortNames", resources), ("kind", kinds), ("listKind", kinds),
    ):  # fmt: skip
        problem = _conflict(field, wanted, accepted, taken)
        if problem:
            conflict = ("NamesAccepted", "False", f"{field[0].upper()}{field[1:]}Conflict", problem)
        else:
            _take(accepted, wanted, field)
    _take(accepted, wanted, "categories")
    named = conflict or _NO_CONFLICTS
    return Names(accepted, (named, *_established(status, named), *_approval(definition)))


def _conflict(field: str, wanted: Obj, accepted: Obj, taken: set[Any]) -> str:
    mine = accepted.get(field)
    if field != "shortNames":
        name = wanted.get(field)
        return f'"{name}" is already in use' if name != mine and name in taken else ""
    problems = [
        f'"{name}" is already in use' for name in wanted.get(field) or () if name not in (mine or ()) and name in taken
    ]
    return problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]" if problems else ""


def _take(accepted: Obj, wanted: Obj, field: str) -> None:
    if wanted.get(field):
        accepted[field] = wanted[field]
    else:
        accepted.pop(field, None)


def _established(status: Obj, named: Condition) -> tuple[Condition, ...]:
    current = find_condition(status.get("conditions") or (), "Established")
    if current is not None and current["status"] == "True":
        return ()
    if named[1] == "True":
        return (ESTABLISHED,)
    return () if current is not None else (_NOT_ACCEPTED,)


def _approval(definition: Obj) -> tuple[Condition, ...]:
    if not is_protected(definition["spec"]["group"]):
        return ()
    state = approval_of(definition)
    holds = "True" if state.reason == "ApprovedAnnotation" else "False"
    return (("KubernetesAPIApprovalPolicyConformant", holds, state.reason, state.message),)


def with_conditions(status: Obj, conditions: Iterable[Condition], now: datetime) -> list[Obj]:
    """The conditions of a status with some set."""
    listed: list[Obj] = status.get("conditions") or []
    for kind, holds, reason, message in conditions:
        listed = with_condition(listed, {"type": kind, "status": holds, "reason": reason, "message": message}, now)
    return listed
