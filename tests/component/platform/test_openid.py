"""Signing in at two OpenID Connect providers, and what follows when they say something else later. The providers are
real; what attacks do to their answers is refused by name (to ID tokens: tests/unit/platform/identity/federation)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from skerry.cli.main import main
from skerry.kube.resources import SECRETS
from skerry.platform.base.capability import Settings
from skerry.platform.identity.login.welcome import COOKIE
from skerry.platform.identity.membership import controller
from skerry.platform.identity.naming import PRIVATE, object_name
from skerry.platform.identity.sessions.judging import Person
from skerry.platform.identity.types import IDENTITY_PROVIDERS, USERS
from skerry.testing import cluster
from tests.support.browser import Browser, browser
from tests.support.clock import ShiftedClock
from tests.support.dns_servers import free_port
from tests.support.javascript import Javascript
from tests.support.openid_provider import (
    SECRET,
    OpenIdProvider,
    add_openid_provider,
    has_condition,
    openid_provider,
    sign_in_elsewhere,
)
from tests.support.people import sessions_in
from tests.support.platform import RunningPlatform, running_on, running_platform
from tests.support.waiting import until

EGI = "urn:mace:egi.eu:group:vo.access.egi.eu:role=member#aai.egi.eu"
ANNA = {"email": "anna@uni.example", "email_verified": True, "name": "Anna", "eduperson_entitlement": [EGI]}
START = "/identity/oidc/{}/start"


@dataclass
class Federated:
    """A platform with two providers: `egi` with a secret, `lab` with a public client and tokens that end at once."""

    running: RunningPlatform
    clock: ShiftedClock
    someone: Browser
    egi: OpenIdProvider
    lab: OpenIdProvider

    def person(self) -> Person | None:
        """Who the browser is."""
        return sessions_in(self.running).person_of(self.someone.cookie(COOKIE))

    async def signs_in(self, provider: str, subject: str) -> str:
        """Whole: what the page says in the end."""
        back = await sign_in_elsewhere(self.someone, START.format(provider), subject)
        return (await self.someone.get(back)).says()


@asynccontextmanager
async def federated(javascript: Javascript, folder: Path) -> AsyncIterator[Federated]:
    clock = ShiftedClock()
    async with running_platform(clock=clock) as running, browser(running.platform.url, running.platform.ca) as someone:
        back = f"{running.platform.url}/identity/oidc/{{}}/callback"
        with (
            openid_provider(javascript, folder / "egi", back.format("egi")) as egi,
            openid_provider(javascript, folder / "lab", back.format("lab"), public=True, seconds=1) as lab,
        ):
            data = {"secret": base64.b64encode(SECRET.encode()).decode()}
            await running.admin.create(
                SECRETS,
                {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "egi-client"}, "data": data},
                PRIVATE,
            )
            await add_openid_provider(running, "egi", egi, clientSecret={"name": "egi-client", "key": "secret"})
            rules = [{"match": "staff", "group": "lab:staff"}]
            await add_openid_provider(
                running, "lab", lab, more={"rules": rules, "trustedNamespaces": ["urn:mace:lab.example"]}
            )
            yield Federated(running, clock, someone, egi, lab)


async def test_people_of_two_providers_are_who_they_are_and_what_they_are_members_of_now(
    javascript: Javascript, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert controller.INTERVAL <= 30, "asked again, answered within ten seconds: 45 in all"
    monkeypatch.setattr(controller, "INTERVAL", 0.5)
    monkeypatch.setattr(controller, "_AGAIN", 0.5)
    async with federated(javascript, tmp_path) as here:
        here.egi.say("1", **ANNA)
        assert "Sign in with egi" in (await here.someone.get("/identity/sign-in")).says()
        page = await here.signs_in("egi", "1")
        assert "You are anna@uni.example. Member of urn:mace:egi.eu:group:vo.access.egi.eu," in page
        await _groups_follow_the_provider(here)
        await _another_provider_is_another_person(here)
        await _who_is_gone_there_is_gone_here(here)
        await _keys_may_change_and_silence_says_nothing(here)


async def _groups_follow_the_provider(here: Federated) -> None:
    person = here.person()
    assert person
    assert EGI in person.groups
    await until(lambda: _told(here) == {"entitlements": [EGI], "groups": []}, "what was told to be seen")
    await _is_explained(here)
    here.egi.say("1", eduperson_entitlement="urn:mace:egi.eu:group:other", email="renamed@uni.example")
    await until(lambda: (now := here.person()) and now.groups == ("urn:mace:egi.eu:group:other",), "other groups")
    person = here.person()
    assert person
    assert person.user == "anna@uni.example", "a name stays"


async def _is_explained(here: Federated) -> None:
    words = ["identity", "explain", "egi", "--kubeconfig", str(here.running.cluster.kubeconfig), "-o", "json"]
    for more, expected in (
        (["--user", "anna@uni.example"], '"urn:mace:egi.eu:group:vo.access.egi.eu"'),
        (["--user", "nobody"], "there is no user nobody"),
        (["--group", "x"], '"there are no rules"'),
    ):
        done = await asyncio.to_thread(CliRunner().invoke, main, [*words, *more])
        assert expected in done.output
    done = await asyncio.to_thread(CliRunner().invoke, main, [*words[:2], "no", *words[3:], "--group", "x"])
    assert "there is no IdentityProvider no" in done.output


def _told(here: Federated) -> dict[str, list[str]]:
    user = here.running.platform.contexts["identity"].informers.of(USERS).get(object_name("anna@uni.example"))
    told: dict[str, list[str]] = ((user or {}).get("status") or {}).get("told", {})
    return told


async def _another_provider_is_another_person(here: Federated) -> None:
    """Its tokens end at once, so that every question needs a refresh, whose token is good for one use."""
    here.someone.forget()
    here.lab.say("1", **ANNA)
    refused = await here.signs_in("lab", "1")
    assert "the name anna@uni.example belongs to somebody who signs in elsewhere: ask an operator" in refused
    here.someone.forget()
    here.lab.say("2", email="ben@lab.example", email_verified=False, name="Ben")
    assert "lab: the provider has not verified that ben@lab.example is your address" in await here.signs_in("lab", "2")
    here.lab.say("2", email_verified=True, groups=["staff", "skerry:operators"], eduperson_entitlement=[EGI])
    assert "You are ben@lab.example. Member of lab:staff." in await here.signs_in("lab", "2")
    here.lab.say("2", groups=[])
    await until(lambda: (now := here.person()) and now.groups == (), "no groups after two refreshes")


async def _who_is_gone_there_is_gone_here(here: Federated) -> None:
    here.lab.forget("2")
    await until(lambda: here.person() is None, "the person to be signed out")
    assert not list(sessions_in(here.running).of_user("ben@lab.example"))


async def _keys_may_change_and_silence_says_nothing(here: Federated) -> None:
    here.someone.forget()
    here.egi.say("3", email="cleo@uni.example", email_verified=True, eduperson_entitlement=[EGI])
    await here.signs_in("egi", "3")
    person = here.person()
    here.egi.stop()
    await until(lambda: has_condition(here.running, "egi", "False", "NoAnswer"), "silence to be said")
    assert person == here.person()
    here.egi.start()  # with other keys, and without any of its tokens
    await until(lambda: here.person() is None, "nobody vouched for")
    here.clock.advance(11)
    here.someone.forget()
    assert "You are cleo@uni.example." in await here.signs_in("egi", "3")


async def test_a_restart_forgets_nothing_and_the_last_session_takes_all_of_it(
    javascript: Javascript, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second platform knows the first one's people, and goes on asking with tokens that the first one was given."""
    monkeypatch.setattr(controller, "INTERVAL", 0.5)
    clock, port = ShiftedClock(), free_port()
    with cluster(nodes=0) as made:
        back = f"https://127.0.0.1:{port}/identity/oidc/lab/callback"
        with openid_provider(javascript, tmp_path / "lab", back, public=True, seconds=1) as lab:
            lab.say("1", **ANNA)
            async with running_on(made, clock=clock, settings=Settings(port=port)) as running:
                await add_openid_provider(running, "lab", lab)
                async with browser(running.platform.url, running.platform.ca) as someone:
                    await someone.get(await sign_in_elsewhere(someone, START.format("lab"), "1"))
                    token = someone.cookie(COOKIE)
            async with running_on(made, clock=clock, settings=Settings(port=port)) as running:
                sessions = sessions_in(running)
                person = sessions.person_of(token)
                assert person
                assert EGI in person.groups
                lab.say("1", eduperson_entitlement=[])
                await until(lambda: (now := sessions.person_of(token)) and now.groups == (), "the groups of now")
                await sessions.close(person.session)
                assert await _kept(running), "somebody may be signing in at this moment"
                clock.advance(601)
                await running.admin.patch(IDENTITY_PROVIDERS, "lab", {"spec": {"displayName": "the lab"}})
                await until(lambda: _nothing_kept(running), "the provider's tokens to be forgotten")


async def _kept(running: RunningPlatform) -> list[str]:
    return [
        one["metadata"]["name"]
        for one in (await running.admin.list(SECRETS, PRIVATE)).items
        if one.get("type") == "skerry.dev/provider-tokens"
    ]


async def _nothing_kept(running: RunningPlatform) -> bool:
    return not await _kept(running)


async def test_answers_that_are_not_for_us_are_refused(javascript: Javascript, tmp_path: Path) -> None:
    async with federated(javascript, tmp_path) as here:
        here.egi.say("1", **ANNA)
        here.lab.say("1", **ANNA)
        begun = await sign_in_elsewhere(here.someone, START.format("egi"), "1")
        not_begun = "this sign-in was not begun in this browser, or is over: sign in again"
        async with browser(here.running.platform.url, here.running.platform.ca) as another:
            assert not_begun in (await another.get(begun)).says(), "a link that signs in as somebody else"
        assert not_begun in (await here.someone.get(begun)).says(), "and it is used up"
        for change, why in (
            (("state=", "state=x"), not_begun),
            (("/egi/", "/lab/"), not_begun),
            (("iss=", "iss=x"), "the answer is another provider's (iss)"),
            (("iss=", "other="), "the answer is another provider's (iss)"),
            (("code=", "code=x"), "the provider does not vouch any more (invalid_grant"),
            (("code=", "error=access_denied&other="), "egi: the provider refuses: access_denied"),
        ):
            begun = await sign_in_elsewhere(here.someone, START.format("egi"), "1")
            answer = await here.someone.get(begun.replace(*change))
            assert (answer.status, why in answer.says()) == (403, True), answer.says()
        late = await sign_in_elsewhere(here.someone, START.format("egi"), "1")
        here.clock.advance(601)
        assert not_begun in (await here.someone.get(late)).says()
        assert "there is no such provider" in (await here.someone.get(START.format("nowhere"))).says()
        away = await sign_in_elsewhere(here.someone, f"{START.format('egi')}?next=https://evil.example", "1")
        assert (await here.someone.get(away, follow=False)).location == "/"
        await _problems_of_settings_are_named(here)


async def _problems_of_settings_are_named(here: Federated) -> None:
    for change, reason, message in (
        ({"issuer": f"{here.egi.issuer}/"}, "NoAnswer", "spec.oidc.issuer has to be exactly that"),
        ({"issuer": "http://idp.example"}, "NoAnswer", "is not HTTPS: tokens are not sent there"),
        ({"clientSecret": {"name": "no", "key": "x"}}, "NoAnswer", "no Secret skerry-identity/no with text as x"),
        ({"ca": "nonsense"}, "BadSettings", "spec.oidc.ca is not PEM"),
    ):
        settings = {"issuer": here.egi.issuer, "clientId": "skerry", "clientSecret": None, "ca": "", **change}
        await here.running.admin.patch(IDENTITY_PROVIDERS, "egi", {"spec": {"oidc": settings}})
        await until(lambda m=message, r=reason: has_condition(here.running, "egi", "False", r, m), message)  # type: ignore[misc]
        assert message in (await here.someone.get(START.format("egi"))).says()
