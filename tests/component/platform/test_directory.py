"""Signing in with a directory's password, and what follows when the directory says something else: a real slapd."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from skerry.kube.errors import Forbidden
from skerry.kube.http_client import HttpClient
from skerry.kube.resources import CONFIG_MAPS, NAMESPACES, SECRETS
from skerry.platform.identity.ldap.directory import Directory
from skerry.platform.identity.login.welcome import COOKIE
from skerry.platform.identity.membership import controller
from skerry.platform.identity.naming import PRIVATE, object_name
from skerry.platform.identity.sessions.judging import Person
from skerry.platform.identity.types import IDENTITY_PROVIDERS, USERS, LdapSettings
from skerry.platform.identity.vouching import NotVouched, ProviderDown
from tests.support import directory as served
from tests.support.browser import Answer, Browser, browser
from tests.support.directory import BASE, GROUPS, PEOPLE, READER, READER_PASSWORD, directory
from tests.support.gateway import BINDINGS, client_of
from tests.support.people import sessions_in
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import until, until_raises

PASSWORD = "correct horse battery"
ANNA = f"uid=anna,{PEOPLE}"


def settings_of(server: served.Directory, **more: Any) -> dict[str, Any]:
    """Of a provider: the first of its servers does not run."""
    return {
        "urls": ["ldaps://127.0.0.1:9", f"ldaps://127.0.0.1:{server.secure}"],
        "ca": server.ca,
        "bindDn": READER,
        "userBase": PEOPLE,
        "groupBase": GROUPS,
        "pageSize": 3,
        **more,
    }


async def test_lookups_passwords_and_groups(tmp_path: Path) -> None:
    with directory(tmp_path / "ldap") as server:
        server.person("anna", PASSWORD, 1001)
        known = Directory(LdapSettings.of(settings_of(server)), READER_PASSWORD)
        try:
            await _who_anna_is(server, known)
            await _many_and_nested_groups(server, known)
            await _an_ended_connection_is_made_anew(server, known)
        finally:
            await known.close()
        await _other_ways_there(server)


async def _who_anna_is(server: served.Directory, known: Directory) -> None:
    told = await known.sign_in("ANNA", PASSWORD)
    assert told
    assert (told.username, told.email, told.uid_number, told.gid_number) == ("anna", "anna@lab.example", 1001, 100)
    assert await known.now(told.subject) == told
    for name, password in (("anna", "wrong"), ("anna", ""), ("nobody", PASSWORD), ("*", PASSWORD), ("", PASSWORD)):
        assert await known.sign_in(name, password) is None, (name, password)
    with pytest.raises(NotVouched, match="the directory does not know you any more"):
        await known.now("00000000-0000-0000-0000-000000000000")


async def _many_and_nested_groups(server: served.Directory, known: Directory) -> None:
    """More than fit into a page, groups of groups of groups, a circle, and those of POSIX."""
    for number in range(12):
        server.group(f"direct{number:02}", ANNA)
    server.group("above", f"cn=direct00,{GROUPS}")
    server.group("top", f"cn=above,{GROUPS}", f"cn=top,{GROUPS}")
    server.group("others", f"uid=ben,{PEOPLE}")
    server.change(f"dn: cn=above,{GROUPS}\nchangetype: modify\nadd: member\nmember: cn=top,{GROUPS}\n")
    posix = "objectClass: posixGroup"
    server.change(f"dn: cn=listed,{GROUPS}\n{posix}\ncn: listed\ngidNumber: 7\nmemberUid: anna\n", add=True)
    server.change(f"dn: cn=primary,{GROUPS}\n{posix}\ncn: primary\ngidNumber: 100\n", add=True)
    told = await known.sign_in("anna", PASSWORD)
    assert told
    direct = [f"direct{number:02}" for number in range(12)]
    assert sorted(told.groups) == sorted(["above", *direct, "listed", "primary", "top"])


async def _an_ended_connection_is_made_anew(server: served.Directory, known: Directory) -> None:
    server.stop()
    with pytest.raises(ProviderDown, match=r"ldaps://127\.0\.0\.1:9"):
        await known.check()
    server.start()
    await known.check()
    server.stop()
    server.start()
    assert await known.sign_in("anna", PASSWORD)


async def _other_ways_there(server: served.Directory) -> None:
    plain = f"ldap://127.0.0.1:{server.plain}"
    for more, secret, problem in (
        ({"urls": [plain]}, READER_PASSWORD, ""),
        ({"urls": [plain], "nested": False}, READER_PASSWORD, ""),
        ({"urls": [plain]}, "wrong", "the directory refuses spec.ldap.bindDn cn=reader"),
        ({"urls": [plain], "ca": ""}, READER_PASSWORD, "CERTIFICATE_VERIFY_FAILED"),
        ({"urls": [plain.replace("127.0.0.1", "localhost")]}, READER_PASSWORD, "Hostname mismatch"),
        ({"userBase": f"ou=no,{BASE}"}, READER_PASSWORD, "the directory cannot search ou=no,dc=lab,dc=example: noSuch"),
    ):
        known = Directory(LdapSettings.of(settings_of(server, **more)), secret)
        try:
            if problem:
                with pytest.raises(ProviderDown, match=problem):
                    await known.check()
            else:
                told = await known.sign_in("anna", PASSWORD)
                assert told
                assert ("top" in told.groups) == ("nested" not in more)
        finally:
            await known.close()


@dataclass
class Signing:
    """A platform with a directory as provider `lab`."""

    running: RunningPlatform
    someone: Browser

    def person(self) -> Person | None:
        """Who the browser is."""
        return sessions_in(self.running).person_of(self.someone.cookie(COOKIE))

    async def signs_in(self, username: str, password: str) -> Answer:
        page = await self.someone.get("/identity/sign-in")
        fields = {**page.hidden(), "provider": "lab", "username": username, "password": password}
        return await self.someone.post("/identity/sign-in", **fields, follow=True)


async def test_people_sign_in_with_the_directory_s_password_and_go_when_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controller, "INTERVAL", 0.5)
    async with running_platform() as running, browser(running.platform.url, running.platform.ca) as someone:
        with directory(tmp_path / "ldap") as server:
            server.person("anna", PASSWORD, 1001)
            server.group("staff", ANNA)
            await _add(running, settings_of(server, bindPassword={"name": "lab", "key": "password"}))
            here = Signing(running, someone)
            assert "this username and password do not go together" in (await here.signs_in("anna", "wrong")).says()
            page = await here.signs_in("anna", PASSWORD)
            assert "You are lab:anna. Member of at-lab/staff." in page.says()
            spec = (await running.admin.get(USERS, object_name("lab:anna")))["spec"]
            assert (spec["uidNumber"], spec["gidNumber"], spec["email"]) == (1001, 100, "anna@lab.example")
            server.group("Größe", ANNA)
            server.change(f"dn: cn=staff,{GROUPS}\nchangetype: delete\n")
            await until(lambda: (now := here.person()) and now.groups == ("at-lab/Größe",), "the groups of now")
            await _what_a_group_may_ends_with_it(here, server)
            server.change(f"dn: {ANNA}\nchangetype: delete\n")
            await until(lambda: here.person() is None, "the person to be signed out")
        assert "lab does not answer" in (await here.signs_in("anna", PASSWORD)).says()


async def _what_a_group_may_ends_with_it(here: Signing, server: served.Directory) -> None:
    """From the directory to the Kubernetes API."""
    await here.running.admin.create(NAMESPACES, {"metadata": {"name": "lab"}})
    group = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"name": "readers"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": group, "kind": "Group", "name": "at-lab/Größe"}],
    }
    await here.running.admin.create(BINDINGS, binding, "lab")
    async with client_of(here.running, here.someone.cookie(COOKIE)) as anna:
        await until(lambda: _reads(anna), "the right to be known")
        server.change(f"dn: cn=Größe,{GROUPS}\nchangetype: delete\n")
        await until_raises(Forbidden, lambda: anna.list(CONFIG_MAPS, "lab"))


async def _reads(client: HttpClient) -> bool:
    await client.list(CONFIG_MAPS, "lab")
    return True


async def _add(running: RunningPlatform, settings: dict[str, Any]) -> None:
    secret: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "lab"}}
    secret["data"] = {"password": base64.b64encode(READER_PASSWORD.encode()).decode()}
    await running.admin.create(SECRETS, secret, PRIVATE)
    spec = {"type": "LDAP", "usernamePrefix": "lab:", "ldap": settings, "rules": [{"match": "*", "group": "at-lab/$1"}]}
    whole = {"apiVersion": IDENTITY_PROVIDERS.api_version, "kind": "IdentityProvider", "metadata": {"name": "lab"}}
    await running.admin.create(IDENTITY_PROVIDERS, {**whole, "spec": spec})
    await until(lambda: running.platform.contexts["identity"].informers.of(IDENTITY_PROVIDERS).get("lab"), "lab")
