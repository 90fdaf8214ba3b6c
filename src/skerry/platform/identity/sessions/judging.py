"""Whom a session stands for at this moment. Pure: from what is stored to a person, or nobody.

Everything that can end access is looked at for every request: the session, its user, the user's groups, and, for a
program, whether who made its token still has the role it was made for.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeGuard

from skerry.kube.clock import parse_time
from skerry.kube.objects import Obj, is_deleting, uid_of
from skerry.kube.records import record
from skerry.platform.identity.naming import group_of_programs, may_be_a_group, user_of_program
from skerry.platform.identity.types import OPERATORS

_RANK = {"viewer": 1, "editor": 2, "owner": 3}


@record
class Person:
    """Who asks: a person, or a program that a person made a token for."""

    user: str
    """The user name at the Kubernetes API."""
    groups: tuple[str, ...]
    """Sorted; without `system:authenticated`, which the API server adds."""
    session: str
    """The Session's name: `Sessions.close` ends it."""
    kind: str = "Browser"
    """Of the session: Browser, CommandLine, Program."""
    made_by: str = ""
    """Of a program: the user who answers for it."""


def is_over(session: Obj, now: datetime) -> bool:
    """Whether nobody can use it any more, nor prolong it."""
    return is_deleting(session) or parse_time(session["spec"]["expires"]) <= now


def is_welcome(user: Obj | None) -> TypeGuard[Obj]:
    """Whether there is such a person, who may sign in."""
    return user is not None and not is_deleting(user) and not user["spec"].get("disabled")


def is_of(session: Obj, user: Obj | None) -> bool:
    """Whether a session is this person's, and the person may still be signed in."""
    spec = session["spec"]
    return is_welcome(user) and user["spec"]["username"] == spec["user"] and uid_of(user) == spec.get("userUid")


def groups_of(user: Obj, listed_in: Iterable[Obj]) -> tuple[str, ...]:
    """What a person is a member of: as the provider said, and by the Groups that list the person."""
    told = (user.get("status") or {}).get("groups") or ()
    names = {*told, *(group["spec"]["name"] for group in listed_in)}
    return tuple(sorted(name for name in names if may_be_a_group(name)))


def person_in(session: Obj, user: Obj, groups: tuple[str, ...], project: Obj | None, now: datetime) -> Person | None:
    """Whom the session's token stands for; None: nobody. `project`: of its scope, as far as there is one."""
    spec = session["spec"]
    if is_over(session, now) or parse_time(spec["tokenExpires"]) <= now or not is_of(session, user):
        return None
    name, username = session["metadata"]["name"], user["spec"]["username"]
    scope = spec.get("scope")
    if spec["kind"] != "Program":
        return Person(username, groups, name, spec["kind"])
    if not scope or project is None or not may_act(project, username, groups, scope["role"]):
        return None
    return Person(
        user_of_program(name),
        (group_of_programs(scope["project"], scope["role"]),),
        name,
        spec["kind"],
        made_by=username,
    )


def may_act(project: Obj, user: str, groups: Iterable[str], role: str) -> bool:
    """Whether the person has at least this role in the project."""
    theirs = frozenset(groups)
    if OPERATORS in theirs:
        return True
    return _rank_in(project["spec"], user, theirs) >= _RANK[role]


def _rank_in(spec: dict[str, Any], user: str, groups: frozenset[str]) -> int:
    if spec.get("owner") == user:
        return _RANK["owner"]
    given = (
        _RANK.get(member["role"], 0)
        for member in spec.get("members") or ()
        if member.get("user") == user or member.get("group") in groups
    )
    return max(given, default=0)
