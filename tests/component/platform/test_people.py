"""People as providers tell of them, and as operators look after them on the command line."""

from __future__ import annotations

import asyncio
import json

import pytest
from click.testing import CliRunner, Result

from skerry.cli.main import main
from skerry.kube.errors import Forbidden, Invalid, NotFound
from skerry.kube.resources import SECRETS
from skerry.platform.base.capability import NAMESPACE
from skerry.platform.identity.login.people import Identity, People, SignInRefused, people_of
from skerry.platform.identity.naming import PRIVATE, object_name
from skerry.platform.identity.seeing import Sight
from skerry.platform.identity.sessions.sessions import Wanted
from skerry.platform.identity.types import GROUPS, IDENTITY_PROVIDERS, SESSIONS, USERS
from skerry.platform.program.rights import account_of
from skerry.platform.projects.types import PULL_SECRETS
from tests.support.browser import browser
from tests.support.people import add_group, add_user, sessions_in
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import until, until_raises

ANNA = Identity("egi", "s-1", "anna@uni.example", "Anna Berg", "anna@uni.example", ("team", "system:masters"))


async def test_a_username_belongs_to_whom_had_it_first() -> None:
    async with running_platform() as running:
        people = people_of(running.platform.contexts["identity"])
        await _add_provider(running)
        names = await asyncio.gather(*(people.signed_in(ANNA) for _ in range(8)))
        assert set(names) == {ANNA.username}
        user = await running.admin.get(USERS, object_name(ANNA.username))
        assert (user["spec"]["displayName"], user["status"]["groups"]) == ("Anna Berg", ["team"])
        await _is_refused_to_others(people)
        renamed = Identity("egi", "s-1", "anna.new@uni.example", "Anna Neu")
        assert await people.signed_in(renamed) == ANNA.username
        user = await running.admin.get(USERS, object_name(ANNA.username))
        assert (user["spec"]["displayName"], user["status"]["groups"]) == ("Anna Neu", ["team"])
        await _is_claimed_by_the_first(running, people)
        await _loses_everything_when_removed(running, people)
        with pytest.raises(Invalid, match="a username never changes"):
            await running.admin.patch(USERS, "ben", {"spec": {"username": "eve"}})
        await _is_nobody_elses_business(running)


async def _add_provider(running: RunningPlatform) -> None:
    """One that does not answer, and so changes nothing about who is signed in; without it they would be signed out."""
    egi = {"apiVersion": IDENTITY_PROVIDERS.api_version, "kind": "IdentityProvider", "metadata": {"name": "egi"}}
    with pytest.raises(Invalid, match="only it has the type Local"):
        await running.admin.create(IDENTITY_PROVIDERS, {**egi, "spec": {"type": "Local"}})
    with pytest.raises(Invalid, match=r"spec\.type OIDC needs spec\.oidc"):
        await running.admin.create(IDENTITY_PROVIDERS, {**egi, "spec": {"type": "OIDC"}})
    ldap = {"urls": ["ldaps://127.0.0.1:1"], "userBase": "dc=egi"}
    await running.admin.create(IDENTITY_PROVIDERS, {**egi, "spec": {"type": "LDAP", "ldap": ldap}})
    known = Sight(running.platform.contexts["identity"].informers.of(IDENTITY_PROVIDERS))
    await known.until("egi", lambda one: one is not None)


async def _keeps_to_its_own_secrets(running: RunningPlatform) -> None:
    """No capability reads the Secrets of another, nor the platform's own authority."""
    theirs = {"identity": PRIVATE, "projects": PULL_SECRETS}
    for capability in theirs:
        acting = running.admin.acting_as(account_of(capability))
        for namespace in {*theirs.values(), NAMESPACE} - {theirs[capability]}:
            with pytest.raises(Forbidden):
                await acting.list(SECRETS, namespace)
            with pytest.raises(Forbidden):
                await acting.get(SECRETS, "skerry-platform-ca", namespace)


async def _is_nobody_elses_business(running: RunningPlatform) -> None:
    """People see and change nothing of it by the Kubernetes API; what operators write is held to its names."""
    eve = running.as_user("eve", "team")
    for resource in (USERS, GROUPS, SESSIONS, IDENTITY_PROVIDERS):
        with pytest.raises(Forbidden):
            await eve.list(resource)
        with pytest.raises(Forbidden):
            await eve.create(resource, {"metadata": {"name": "x"}, "spec": {}})
    with pytest.raises(Forbidden):
        await eve.list(SECRETS, "skerry-identity")
    await _keeps_to_its_own_secrets(running)
    misnamed = {"apiVersion": USERS.api_version, "kind": "User", "metadata": {"name": "dora"}}
    with pytest.raises(Invalid, match=r"metadata\.name must be 'dora-uni-example-[0-9a-f]{12}', which stands for"):
        await running.admin.create(USERS, {**misnamed, "spec": {"username": "dora@uni.example"}})
    with pytest.raises(Invalid, match="usernames that begin with system: or skerry: are not people's"):
        await add_user(running, "system:dora")


async def _is_refused_to_others(people: People) -> None:
    for other in (Identity("egi", "s-2", ANNA.username), Identity("local", ANNA.username, ANNA.username)):
        with pytest.raises(
            SignInRefused, match=r"the name anna@uni\.example belongs to somebody who signs in elsewhere"
        ):
            await people.signed_in(other)
    with pytest.raises(SignInRefused, match="usernames that begin with system: or skerry: are not people's"):
        await people.signed_in(Identity("egi", "s-3", "system:admin"))


async def _is_claimed_by_the_first(running: RunningPlatform, people: People) -> None:
    """Operators may make a User before the person comes."""
    await add_user(running, "ben", provider="egi")
    assert await people.signed_in(Identity("egi", "s-ben", "ben")) == "ben"
    with pytest.raises(SignInRefused, match="belongs to somebody"):
        await people.signed_in(Identity("egi", "s-other", "ben"))


async def _loses_everything_when_removed(running: RunningPlatform, people: People) -> None:
    sessions = sessions_in(running)
    opened = await sessions.open(Wanted(ANNA.username, "CommandLine"))
    group = await running.admin.get(USERS, object_name(ANNA.username))
    assert sessions.groups_of(ANNA.username) == ("team",)
    await people.told(ANNA.username, ("other",))
    person = sessions.person_of(opened.access)
    assert person is not None
    assert person.groups == ("other",)
    await running.admin.delete(USERS, group["metadata"]["name"])
    await until(lambda: sessions.person_of(opened.access) is None, "refused")
    await people.signed_in(Identity("local", ANNA.username, ANNA.username))
    assert sessions.person_of(opened.access) is None
    await until_raises(NotFound, lambda: running.admin.get(SESSIONS, opened.name))


async def test_operators_look_after_people_on_the_command_line() -> None:
    async with running_platform() as running, browser(running.platform.url, running.platform.ca) as someone:
        added = await _skerry(running, "add", "anna", "--name", "Anna Berg", "--operator")
        link = added.output.split()[-1]
        page = await someone.get(link.removeprefix(running.platform.url))
        assert "A password for anna" in page.says()
        await add_group(running, "team", "anna")
        listed = json.loads((await _skerry(running, "ls", "-o", "json")).output)["users"]
        assert [(one["username"], one["displayName"], one["groups"]) for one in listed] == [
            ("anna", "Anna Berg", ["skerry:operators", "team"])
        ]
        assert "USERNAME   NAME        PROVIDER   STATE   GROUPS" in (await _skerry(running, "ls")).output
        assert "there is a user anna already" in (await _skerry(running, "add", "anna")).output
        await _skerry(running, "link", "anna")
        assert "this link was used, or is over" in (await someone.get(link.removeprefix(running.platform.url))).says()
        opened = await sessions_in(running).open(Wanted("anna", "Browser"))
        assert "all sessions end now" in (await _skerry(running, "disable", "anna")).output
        await until(lambda: sessions_in(running).person_of(opened.access) is None, "refused")
        assert "may sign in again" in (await _skerry(running, "enable", "anna")).output
        for command in ("disable", "link"):
            assert "there is no user nobody (skerry users ls" in (await _skerry(running, command, "nobody")).output
        await add_user(running, "ben", provider="egi")
        assert "ben signs in at egi: the password is set there" in (await _skerry(running, "link", "ben")).output
        assert "anna" in (await _told(running, "team"))


async def _told(running: RunningPlatform, group: str) -> list[str]:
    async def members() -> list[str]:
        return list((await running.admin.get(GROUPS, group))["status"]["members"])

    return await until(members, "members")


async def _skerry(running: RunningPlatform, command: str, *words: str) -> Result:
    """In a thread: the command has an event loop of its own."""
    line = ["users", command, *words, "--kubeconfig", str(running.cluster.kubeconfig)]
    return await asyncio.to_thread(CliRunner().invoke, main, line)
