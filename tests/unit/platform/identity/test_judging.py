"""Whom a session stands for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj
from skerry.platform.identity.sessions.judging import groups_of, may_act, person_in
from skerry.platform.identity.types import SessionSpec

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
USER: Obj = {"metadata": {"name": "anna", "uid": "u1"}, "spec": {"username": "anna"}}
PROJECT: Obj = {
    "metadata": {"name": "lidar"},
    "spec": {"owner": "olaf", "members": [{"group": "team", "role": "editor"}]},
}


def session(kind: str = "Browser", **spec: Any) -> Obj:
    later = rfc3339(NOW + timedelta(minutes=1))
    whole = {
        "user": "anna",
        "userUid": "u1",
        "kind": kind,
        "tokenSha256": "0" * 64,
        "tokenExpires": later,
        "expires": later,
    }
    made = {"metadata": {"name": "s1"}, "spec": {**whole, **spec}}
    SessionSpec.of(made["spec"])  # type: ignore[arg-type]
    return made


def test_a_session_stands_for_its_user_with_the_groups_of_now() -> None:
    person = person_in(session(), USER, ("team",), None, NOW)
    assert person is not None
    assert (person.user, person.groups, person.session, person.made_by) == ("anna", ("team",), "s1", "")


@pytest.mark.parametrize(
    ("session_", "user"),
    [
        (session(expires=rfc3339(NOW)), USER),
        (session(tokenExpires=rfc3339(NOW)), USER),
        (session(userUid="of-an-earlier-anna"), USER),
        (session(user="ben"), USER),
        (session(), {**USER, "spec": {"username": "anna", "disabled": True}}),
        (session(), {**USER, "metadata": {**USER["metadata"], "deletionTimestamp": "2026-05-01T11:59:00Z"}}),
        ({**session(), "metadata": {"name": "s1", "deletionTimestamp": "2026-05-01T11:59:00Z"}}, USER),
    ],
    ids=["over", "token over", "another person of that name", "another user", "disabled", "user going", "going"],
)
def test_a_session_stands_for_nobody_when_anything_it_needs_is_gone(session_: Obj, user: Obj) -> None:
    assert person_in(session_, user, (), None, NOW) is None


def test_a_program_is_itself_and_has_its_projects_role_only() -> None:
    program = session("Program", scope={"project": "lidar", "role": "viewer"})
    person = person_in(program, USER, ("team", "skerry:operators"), PROJECT, NOW)
    assert person is not None
    assert (person.user, person.groups) == ("skerry:program:s1", ("skerry:project:lidar:viewer",))
    assert person.made_by == "anna"


def test_a_program_ends_with_the_role_of_who_made_it() -> None:
    program = session("Program", scope={"project": "lidar", "role": "editor"})
    assert person_in(program, USER, ("team",), PROJECT, NOW)
    assert person_in(program, USER, (), PROJECT, NOW) is None
    assert person_in(program, USER, ("team",), None, NOW) is None
    as_owner = session("Program", scope={"project": "lidar", "role": "owner"})
    assert person_in(as_owner, USER, ("team",), PROJECT, NOW) is None
    assert person_in(as_owner, USER, ("skerry:operators",), PROJECT, NOW)


_ROLES = ("viewer", "editor", "owner")


@given(st.lists(st.tuples(st.sampled_from(["anna", "ben"]), st.sampled_from(_ROLES))), st.sampled_from(_ROLES))
def test_a_role_is_at_least_as_much_as_the_lesser_ones(given_: list[tuple[str, str]], asked: str) -> None:
    project = {"spec": {"owner": "olaf", "members": [{"user": user, "role": role} for user, role in given_]}}
    highest = max((_ROLES.index(role) for user, role in given_ if user == "anna"), default=-1)
    assert may_act(project, "anna", (), asked) == (_ROLES.index(asked) <= highest)


def test_groups_are_what_providers_and_operators_say_but_never_the_clusters() -> None:
    user = {**USER, "status": {"groups": ["b", "system:masters"]}}
    listed = [{"spec": {"name": "a"}}, {"spec": {"name": "skerry:project:lidar:owner"}}]
    assert groups_of(user, listed) == ("a", "b")
