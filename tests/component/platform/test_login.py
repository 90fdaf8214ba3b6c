"""The login server over HTTPS: links, passwords, lock-out, codes for command lines; and what is refused."""

from __future__ import annotations

import secrets
from urllib.parse import parse_qs, urlencode, urlsplit

from skerry.platform.identity.local.links import first_operator_link, make_link
from skerry.platform.identity.login.authorizing import CLIENT
from skerry.platform.identity.login.grants import challenge_of
from skerry.platform.identity.login.token_endpoint import DEVICE_GRANT
from skerry.platform.identity.login.welcome import COOKIE
from skerry.platform.identity.naming import object_name
from skerry.platform.identity.types import GROUPS, IDENTITY_PROVIDERS, USERS
from tests.support.browser import Answer, Browser, browser
from tests.support.clock import SetClock
from tests.support.people import add_user, sessions_in
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import until

PASSWORD = "correct horse battery"
LOOPBACK = "http://127.0.0.1:39999/done"


async def test_the_first_operator_signs_in_by_a_link_and_everybody_after_by_password() -> None:
    clock = SetClock()
    async with running_platform(clock=clock) as running, browser(running.platform.url, running.platform.ca) as someone:
        path = urlsplit(await first_operator_link(running.admin, clock, running.platform.url) or "").path
        page = await someone.get(path)
        assert "The first operator" in page.says()
        weak = await someone.submit(page, path, username="anna", password="short", again="short")
        assert "the password is too short: 12 characters or more" in weak.says()
        reserved = await someone.submit(page, path, username="system:admin", password=PASSWORD, again=PASSWORD)
        assert "usernames that begin with system: or skerry: are not people's" in reserved.says()
        done = await someone.submit(page, path, username="anna", password=PASSWORD, again=PASSWORD)
        assert (done.status, done.location) == (303, "/")
        home = await someone.get("/")
        assert "You are anna. Member of skerry:operators." in home.says()
        assert "this link was used, or is over" in (await someone.get(path)).says()
        assert await first_operator_link(running.admin, clock, running.platform.url) is None
        assert (await running.admin.get(GROUPS, object_name("skerry:operators")))["spec"]["members"] == ["anna"]
        await _signs_out(running, someone, home)
        await _is_locked_out_and_comes_back(running, clock, someone)
        await _sets_a_new_password_by_a_link(running, clock, someone)


async def _signs_out(running: RunningPlatform, someone: Browser, home: Answer) -> None:
    forged = await someone.post("/identity/sign-out", form="guessed")
    assert (forged.status, "this form was not opened in this browser" in forged.says()) == (400, True)
    elsewhere = await someone.post("/identity/sign-out", headers={"Origin": "https://evil.example"}, **home.hidden())
    assert elsewhere.status == 400
    token = someone.cookie(COOKIE)
    assert sessions_in(running).person_of(token)
    assert "Signed out" in (await someone.submit(home, "/identity/sign-out")).says()
    assert sessions_in(running).person_of(token) is None
    assert (await someone.get("/identity/")).url.path == "/identity/sign-in"


async def _is_locked_out_and_comes_back(running: RunningPlatform, clock: SetClock, someone: Browser) -> None:
    for _ in range(5):
        refused = await _sign_in(someone, "anna", "wrong")
        assert (refused.status, "this username and password do not go together" in refused.says()) == (403, True)
    nobody = await _sign_in(someone, "nobody", PASSWORD)
    assert "this username and password do not go together" in nobody.says()
    locked = await _sign_in(someone, "anna", PASSWORD)
    assert "too many wrong passwords for anna: wait 31 s" in locked.says()
    status = (await running.admin.get(USERS, "anna"))["status"]
    assert status["failedLogins"] == 5
    clock.advance(31)
    back = await _sign_in(someone, "anna", PASSWORD, next="//evil.example/")
    assert (back.status, back.location) == (303, "/")
    assert (await running.admin.get(USERS, "anna"))["status"]["failedLogins"] == 0


async def _sets_a_new_password_by_a_link(running: RunningPlatform, clock: SetClock, someone: Browser) -> None:
    before = someone.cookie(COOKIE)
    for _ in range(5):
        await _sign_in(someone, "anna", "wrong")
    assert "too many wrong passwords" in (await _sign_in(someone, "anna", PASSWORD)).says()
    link = await make_link(running.admin, clock, running.platform.url, "Password", "anna")
    path = urlsplit(link).path
    page = await someone.get(path)
    done = await someone.submit(page, path, password=f"{PASSWORD} staple", again=f"{PASSWORD} staple")
    assert done.status == 303
    assert sessions_in(running).person_of(before) is None
    assert (await _sign_in(someone, "anna", PASSWORD)).status == 403
    assert (await _sign_in(someone, "anna", f"{PASSWORD} staple")).status == 303
    await running.admin.patch(IDENTITY_PROVIDERS, "local", {"spec": {"disabled": True}})
    link = await make_link(running.admin, clock, running.platform.url, "Password", "anna")
    await until(lambda: _is_turned_off(someone, urlsplit(link).path), "turned off")
    assert "there is nowhere to sign in" in (await someone.get("/identity/sign-in")).says()
    await running.admin.patch(IDENTITY_PROVIDERS, "local", {"spec": {"disabled": False}})
    late = await make_link(running.admin, clock, running.platform.url, "Password", "anna")
    clock.advance(25 * 3600)
    await until(lambda: _is_over(someone, urlsplit(late).path), "over")


async def _is_turned_off(someone: Browser, path: str) -> bool:
    return "accounts with a password are turned off here" in (await someone.get(path)).says()


async def _is_over(someone: Browser, path: str) -> bool:
    return "this link was used, or is over" in (await someone.get(path)).says()


async def _sign_in(someone: Browser, username: str, password: str, **more: str) -> Answer:
    page = await someone.get("/identity/sign-in")
    fields = {**page.hidden(), **more, "username": username, "password": password}
    return await someone.post("/identity/sign-in", **fields)


async def test_command_lines_are_given_tokens_by_code_and_by_device() -> None:
    clock = SetClock()
    async with running_platform(clock=clock) as running, browser(running.platform.url, running.platform.ca) as someone:
        await add_user(running, "ben")
        path = urlsplit(await make_link(running.admin, clock, running.platform.url, "Password", "ben")).path
        page = await someone.get(path)
        await someone.submit(page, path, password=PASSWORD, again=PASSWORD)
        await _by_code(running, someone)
        await _by_device(running, clock, someone)


async def _by_code(running: RunningPlatform, someone: Browser) -> None:
    verifier = secrets.token_urlsafe(48)
    asked = {
        "client_id": CLIENT,
        "response_type": "code",
        "redirect_uri": LOOPBACK,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
        "state": "xyz",
        "description": "laptop",
    }
    for name, value, why in (
        ("redirect_uri", "https://evil.example/", "redirect_uri must be http://127.0.0.1"),
        ("redirect_uri", "http://127.0.0.1:80@evil.example/", "redirect_uri must be http://127.0.0.1"),
        ("code_challenge_method", "plain", "PKCE is required"),
        ("client_id", "other", "client_id must be skerry-cli"),
    ):
        refused = await someone.get(f"/identity/authorize?{urlencode({**asked, name: value})}", follow=False)
        assert (refused.status, why in refused.says()) == (400, True)
    page = await someone.get(f"/identity/authorize?{urlencode(asked)}")
    assert "You are ben. skerry login on laptop asks to act for you" in page.says()
    assert page.headers["Content-Security-Policy"].startswith(
        "default-src 'none'; style-src 'self'; form-action 'self'"
    )
    denied = await someone.submit(page, "/identity/authorize", answer="Deny")
    assert denied.location == f"{LOOPBACK}?error=access_denied&state=xyz"
    allowed = await someone.submit(page, "/identity/authorize", answer="Allow")
    code = parse_qs(urlsplit(allowed.location).query)["code"][0]
    told = {"grant_type": "authorization_code", "client_id": CLIENT, "code": code, "redirect_uri": LOOPBACK}
    stolen = await someone.json("/identity/token", **told, code_verifier="x" * 43)
    assert stolen["error"] == "invalid_grant"
    spent = await someone.json("/identity/token", **told, code_verifier=verifier)
    assert "unknown, used, over" in spent["error_description"]
    again = await someone.submit(page, "/identity/authorize", answer="Allow")
    told["code"] = parse_qs(urlsplit(again.location).query)["code"][0]
    given = await someone.json("/identity/token", **told, code_verifier=verifier)
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 900)
    await _refreshes_and_revokes(running, someone, given)


async def _refreshes_and_revokes(running: RunningPlatform, someone: Browser, given: dict[str, str]) -> None:
    sessions = sessions_in(running)
    refresh = {"grant_type": "refresh_token", "client_id": CLIENT}
    fresh = await someone.json("/identity/token", **refresh, refresh_token=given["refresh_token"])
    person = sessions.person_of(fresh["access_token"])
    assert person is not None
    assert (person.user, person.kind) == ("ben", "CommandLine")
    assert sessions.person_of(given["access_token"]) is None
    home = await someone.get("/identity/")
    assert "You are also signed in with: a command line (laptop); last used" in home.says()
    assert (await someone.submit(home, "/identity/sessions/end", session="of-anna")).status == 400
    revoked = await someone.post("/identity/revoke", client_id=CLIENT, token=fresh["refresh_token"])
    assert (revoked.status, sessions.person_of(fresh["access_token"])) == (200, None)
    over = await someone.json("/identity/token", **refresh, refresh_token=fresh["refresh_token"])
    assert over["error_description"] == "signed out, or the session is over: sign in again (skerry login)"
    unknown = await someone.json("/identity/token", grant_type="password", client_id=CLIENT)
    assert unknown["error"] == "unsupported_grant_type"


async def _by_device(running: RunningPlatform, clock: SetClock, someone: Browser) -> None:
    begun = await someone.json("/identity/device_authorization", client_id=CLIENT, description="cluster front end")
    poll = {"grant_type": DEVICE_GRANT, "client_id": CLIENT, "device_code": begun["device_code"]}
    assert (await someone.json("/identity/token", **poll))["error"] == "authorization_pending"
    assert (await someone.json("/identity/token", **poll))["error"] == "slow_down"
    clock.advance(5)
    page = await someone.get("/identity/device")
    wrong = await someone.submit(page, "/identity/device", user_code="AAAA-AAAA")
    assert "nobody waits with this code" in wrong.says()
    shown = await someone.submit(page, "/identity/device", user_code=begun["user_code"].lower().replace("-", " "))
    assert "skerry login on cluster front end at 127.0.0.1 asks to act for you" in shown.says()
    assert "The device is signed in." in (await someone.submit(shown, "/identity/device", answer="Allow")).says()
    given = await someone.json("/identity/token", **poll)
    person = await until(lambda: sessions_in(running).person_of(given["access_token"]), "recognised")
    assert person.user == "ben"
    assert (await someone.json("/identity/token", **poll))["error"] == "expired_token"
    assert (await someone.submit(await someone.get("/identity/"), "/identity/sessions/end")).status == 303
    assert sessions_in(running).person_of(given["access_token"]) is None
