"""Projects in tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

from skerry.kube.conditions import condition_of, conditions_of
from skerry.kube.objects import Obj, name_of

_LINES = 10
"""Of history."""
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def row_of(project: Obj) -> tuple[str, ...]:
    """Name, tier, owner, phase, CPU, memory, end."""
    spec, status = project["spec"], project.get("status") or {}
    used = [_of_quota(status, name) for name in ("requests.cpu", "requests.memory")]
    ends = str(status.get("expires") or "-").partition("T")[0]
    return name_of(project), spec.get("tier", ""), spec["owner"], status.get("phase", "Pending"), *used, ends


def ready(project: Obj) -> str:
    """What its condition says, with what to do when it is not ready."""
    found = condition_of(project, "Ready")
    if found is None:
        return "not looked at yet"
    return "yes" if found["status"] == "True" else f"{found['reason']}: {found.get('message', '')}"


def facts_of(project: Obj) -> Sequence[tuple[str, str]]:
    """Everything about one, as names and values."""
    spec, status = project["spec"], project.get("status") or {}
    facts = [
        ("name", name_of(project)),
        ("description", spec.get("description") or "-"),
        ("tier", spec.get("tier", "")),
        ("owner", spec["owner"]),
        ("members", ", ".join(f"{who_of(one)} ({one['role']})" for one in spec.get("members") or ()) or "-"),
        ("namespaces", ", ".join(status.get("namespaces") or ()) or "-"),
        ("sites", ", ".join(spec.get("sites") or ()) or "anywhere"),
        ("phase", status.get("phase", "Pending")),
        ("expires", status.get("expires") or "never"),
    ]
    said = [(_words(one["type"]), _condition_text(one)) for one in conditions_of(project)]
    return [*facts, *said]


def quota_rows(project: Obj) -> Sequence[Sequence[str]]:
    """Resource, used, hard."""
    status = project.get("status") or {}
    amounts = [(name, one["used"], one["hard"]) for name, one in sorted((status.get("quota") or {}).items())]
    spent = [
        (name, f"{one['used']:g}", f"{one['limit']:g}" if one.get("limit") is not None else "-")
        for name, one in sorted((status.get("budgets") or {}).items())
    ]
    return [*amounts, *spent]


def history_rows(project: Obj) -> Sequence[Sequence[str]]:
    """Time, what, by whom: the last of them."""
    history = (project.get("status") or {}).get("history") or []
    return [(one["time"], one["what"], one.get("by") or "-") for one in history[-_LINES:]]


def who_of(member: Obj) -> str:
    """A user's name, or a group's as such."""
    return str(member["user"]) if member.get("user") else f"group {member['group']}"


def _words(condition: str) -> str:
    """`QuotaHeld` as the other names are written."""
    return _CAPITAL.sub(" ", condition).lower()


def _condition_text(one: Obj) -> str:
    message = f": {one['message']}" if one.get("message") else ""
    return f"{one['status']}, {one.get('reason', '')}{message}"


def _of_quota(status: Obj, name: str) -> str:
    amount = (status.get("quota") or {}).get(name)
    return f"{amount['used']}/{amount['hard']}" if amount else "-"
