"""Sessions on a test cluster: opened, recognised, prolonged, and ended by everything that may end them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj
from skerry.platform.identity.naming import object_name
from skerry.platform.identity.sessions.sessions import SessionRefused, Sessions, Wanted
from skerry.platform.identity.types import GROUPS, SESSIONS, USERS, Scope
from skerry.platform.projects.types import PROJECTS
from tests.support.clock import SetClock
from tests.support.people import add_group, add_user, sessions_in
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import until, until_raises

ANNA = "anna@uni.example"


async def test_a_session_ends_with_everything_that_it_needs() -> None:
    clock = SetClock()
    async with running_platform(clock=clock) as running:
        sessions = sessions_in(running)
        await add_user(running, ANNA)
        await add_group(running, "skerry:operators", ANNA)
        opened = await sessions.open(Wanted(ANNA, "CommandLine", description="laptop"))
        person = sessions.person_of(opened.access)
        assert person is not None
        assert (person.user, person.groups) == (ANNA, ("skerry:operators",))
        assert sessions.person_of(opened.refresh) is None
        assert sessions.person_of("sky_guessed") is None
        await _is_kept_as_a_hash_only(running, opened.access, opened.refresh)
        await _is_prolonged_once(sessions, clock, opened.refresh)
        await _ends_with_its_user(running, sessions)


async def _is_kept_as_a_hash_only(running: RunningPlatform, *tokens: str) -> None:
    kept = str((await running.admin.list(SESSIONS)).items)
    assert not [token for token in tokens if token in kept]


async def _is_prolonged_once(sessions: Sessions, clock: SetClock, refresh: str) -> None:
    clock.advance(16 * 60)
    fresh = await sessions.refresh(refresh)
    assert sessions.person_of(fresh.access)
    fresh = await sessions.refresh(refresh)  # the answer was lost: asked again at once
    clock.advance(60)
    newest = await sessions.refresh(fresh.refresh)
    clock.advance(60)
    with pytest.raises(SessionRefused, match="was used before: the session is closed"):
        await sessions.refresh(fresh.refresh)
    assert sessions.person_of(newest.access) is None


async def _ends_with_its_user(running: RunningPlatform, sessions: Sessions) -> None:
    opened = await sessions.open(Wanted(ANNA, "Browser"))
    await running.admin.patch(USERS, object_name(ANNA), {"spec": {"disabled": True}})
    await until(lambda: sessions.person_of(opened.access) is None, "refused")
    await until_raises(NotFound, lambda: running.admin.get(SESSIONS, opened.name))
    with pytest.raises(SessionRefused, match=r"anna@uni\.example is not known here, or disabled"):
        await sessions.open(Wanted(ANNA, "Browser"))


async def test_programs_act_as_themselves_and_never_do_more_than_who_made_them() -> None:
    async with running_platform() as running:
        sessions = sessions_in(running)
        await add_user(running, ANNA)
        await add_group(running, "team", ANNA)
        project = _project(members=[{"group": "team", "role": "editor"}])
        made = await running.admin.create(PROJECTS, project)
        opened = await sessions.open(Wanted(ANNA, "Program", scope=Scope(project="lidar", role="editor")))
        as_owner = await sessions.open(Wanted(ANNA, "Program", scope=Scope(project="lidar", role="owner")))
        person = await until(lambda: sessions.person_of(opened.access), "recognised")
        assert person.user == f"skerry:program:{opened.name}"
        assert person.groups == ("skerry:project:lidar:editor",)
        assert person.made_by == ANNA
        assert sessions.person_of(as_owner.access) is None

        async def noted() -> Obj:
            return (await running.admin.get(SESSIONS, opened.name))["status"]["lastUsed"]

        await until(noted, "last use")
        await running.admin.patch(GROUPS, "team", {"spec": {"members": []}})
        await until(lambda: sessions.person_of(opened.access) is None, "refused")
        await sessions.close(opened.name)
        assert made["metadata"]["name"] == "lidar"
        with pytest.raises(SessionRefused, match="lasts up to 366 days"):
            await sessions.open(Wanted(ANNA, "Program", lifetime=timedelta(days=400)))


def _project(members: list[Obj]) -> Obj:
    spec = {"owner": "somebody", "members": members}
    return {"apiVersion": PROJECTS.api_version, "kind": "Project", "metadata": {"name": "lidar"}, "spec": spec}
