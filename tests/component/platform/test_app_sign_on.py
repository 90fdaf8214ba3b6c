"""Sign-on in front of apps, on a test cluster: what an Ingress becomes, and what a browser is told step by step.

The Ingress controller's part is played here by asking `check` as it does; `tests/e2e/test_app_sign_on.py` has
the real one.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from skerry.kube.errors import Forbidden, Invalid, NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import annotations_of, name_of
from skerry.kube.resources import EVENTS, SERVICES
from skerry.platform.identity.apps.access import ACCESS, CHECK, INGRESSES, SIGN_IN, USER_HEADER
from skerry.platform.identity.apps.routes import COOKIE as APP_COOKIE
from skerry.platform.identity.login.welcome import COOKIE
from skerry.platform.identity.sessions.sessions import Wanted
from skerry.platform.program.webhooks import MUTATING
from skerry.platform.projects.types import PROJECTS
from tests.support.browser import Answer, Browser, browser
from tests.support.clock import SetClock
from tests.support.people import add_user, sessions_in
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import until

HOST = "web.lidar.localhost"
WHICH = "namespace=lidar&ingress=web"
PAGE = Path(__file__).parents[3] / "docs" / "resources" / "ingress.md"
SIGN_IN_AT = "nginx.ingress.kubernetes.io/auth-signin"
GUARDED = "nginx.ingress.kubernetes.io/auth-url"


def ingress(who: str) -> dict[str, Any]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {"host": HOST, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    return {"metadata": {"name": "web", "annotations": {ACCESS: who}}, "spec": {"rules": [rule]}}


async def test_members_and_nobody_else_open_an_app() -> None:
    clock = SetClock()
    async with running_platform(clock=clock) as running, browser(running.platform.url, running.platform.ca) as at:
        for name in ("anna", "ben", "eve"):
            await add_user(running, name)
        members = [{"user": "ben", "role": "viewer"}]
        project = {"metadata": {"name": "lidar"}, "spec": {"owner": "anna", "members": members}}
        await running.admin.create(PROJECTS, project)
        anna = running.as_user("anna")
        await until(lambda: _made(anna, "members"), "the Ingress")
        await _is_guarded_from_the_first_moment(running)
        await _is_mended_when_somebody_changes_it(running, anna)
        await _refuses_what_is_wrong(running)
        await _guards_the_pages_example(anna)
        ticket = await _signs_in(running, at, "ben")
        assert await _checked(at, ticket) == (200, "ben")
        assert await _checked(at, ticket, "other.lidar.localhost") == (401, None)
        for elsewhere in ("https://evil.example/", "https://[evil", ""):
            stranger = await at.ask("GET", f"{at.url}{SIGN_IN}?{WHICH}&rd={elsewhere}")
            assert (stranger.status, "does not belong to an app" in stranger.says()) == (400, True)
        refused = await _asks_to_sign_in(running, at, "eve")
        assert (refused.status, "eve may not open this app: an owner of project lidar" in refused.says()) == (403, True)
        await _is_out_when_the_membership_ends(running, at, clock, ticket)
        await _is_for_who_made_it(running, at)
        await anna.patch(INGRESSES, "web", {"metadata": {"annotations": {ACCESS: "everyone"}}}, "lidar", kind="merge")
        assert GUARDED not in annotations_of(await anna.get(INGRESSES, "web", "lidar"))
        await until(lambda: _is_gone(running, "web-sign-in"), "the second Ingress goes")


async def _made(client: HttpClient, who: str) -> bool:
    """False as long as the project is on its way."""
    try:
        await client.create(INGRESSES, ingress(who), "lidar")
    except (Forbidden, NotFound):
        return False
    return True


async def _is_guarded_from_the_first_moment(running: RunningPlatform) -> None:
    assert CHECK in annotations_of(await running.admin.get(INGRESSES, "web", "lidar"))[GUARDED]
    await until(lambda: _is_there(running, "web-sign-in"), "the second Ingress")
    door = await running.admin.get(INGRESSES, "web-sign-in", "lidar")
    (path,) = door["spec"]["rules"][0]["http"]["paths"]
    assert (door["spec"]["rules"][0]["host"], path["path"]) == (HOST, "/.skerry")
    assert (await running.admin.get(SERVICES, path["backend"]["service"]["name"], "lidar"))["spec"]["type"] == (
        "ExternalName"
    )


async def _is_mended_when_somebody_changes_it(running: RunningPlatform, anna: HttpClient) -> None:
    """What leads browsers back, by hand; and the guard itself while admission is away."""
    plain = {"metadata": {"annotations": {"nginx.ingress.kubernetes.io/backend-protocol": None}}}
    await anna.patch(INGRESSES, "web-sign-in", plain, "lidar", kind="merge")
    await anna.patch(SERVICES, "skerry-sign-in", {"spec": {"externalName": "evil.example"}}, "lidar", kind="merge")

    async def leads_back() -> bool:
        door = await running.admin.get(INGRESSES, "web-sign-in", "lidar")
        out = await running.admin.get(SERVICES, "skerry-sign-in", "lidar")
        return (
            annotations_of(door).get("nginx.ingress.kubernetes.io/backend-protocol"),
            out["spec"]["externalName"],
        ) == (
            "HTTPS",
            "skerry-platform.skerry-system.svc.cluster.local",
        )

    await until(leads_back, "the way back is mended")
    hooks = await running.admin.get(MUTATING, "skerry-platform")
    await running.admin.delete(MUTATING, "skerry-platform")
    unguarded = {"metadata": {"annotations": {GUARDED: None, SIGN_IN_AT: "https://old.example/"}}}
    await anna.patch(INGRESSES, "web", unguarded, "lidar", kind="merge")

    async def is_guarded() -> bool:
        said = annotations_of(await running.admin.get(INGRESSES, "web", "lidar"))
        return CHECK in said.get(GUARDED, "") and SIGN_IN in said[SIGN_IN_AT]

    await until(is_guarded, "it is guarded again")
    again = {"metadata": {"name": "skerry-platform"}, "webhooks": hooks["webhooks"]}
    await running.admin.create(MUTATING, again)
    await until(lambda: _are_asked(anna), "admission is there again")


async def _are_asked(client: HttpClient) -> bool:
    """Whether the API server knows of the hooks: it learns of them a moment after they are written."""
    probe = {**ingress("friends"), "metadata": {"name": "probe", "annotations": {ACCESS: "friends"}}}
    try:
        await client.create(INGRESSES, probe, "lidar")
    except Invalid:
        return True
    await client.delete(INGRESSES, "probe", "lidar")
    return False


async def test_elsewhere_too_and_without_taking_anybodys_ingress() -> None:
    async with running_platform() as running:
        admin = running.admin
        own = {**ingress("everyone"), "metadata": {"name": "web-sign-in"}}
        before = await admin.create(INGRESSES, own, "default")
        made = await admin.create(INGRESSES, ingress("members"), "default")
        assert CHECK in annotations_of(made)[GUARDED]

        async def is_told() -> bool:
            found = (await admin.list(EVENTS, "default")).items
            return any(one.get("reason") == "NoWayBack" for one in found)

        await until(is_told, "why nobody can come back")
        assert (await admin.get(INGRESSES, "web-sign-in", "default"))["spec"] == before["spec"]
        await admin.delete(INGRESSES, "web-sign-in", "default")

        async def has_a_way_back() -> bool:
            doors = [one for one in (await admin.list(INGRESSES, "default")).items if "web-sign-in" in name_of(one)]
            return any(one["spec"]["rules"][0]["http"]["paths"][0]["path"] == "/.skerry" for one in doors)

        await until(has_a_way_back, "the name is free")


async def _refuses_what_is_wrong(running: RunningPlatform) -> None:
    other = {**ingress("friends"), "metadata": {"name": "other", "annotations": {ACCESS: "friends"}}}
    with pytest.raises(Invalid, match=r"skerry.dev/access must be members, editors, owner or everyone, not 'friends'"):
        await running.as_user("anna").create(INGRESSES, other, "lidar")


async def _guards_the_pages_example(client: HttpClient) -> None:
    written = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    (example,) = [one for one in map(yaml.safe_load, written) if ACCESS in annotations_of(one)]
    made = await client.create(INGRESSES, example, "lidar")
    assert f"{SIGN_IN}?namespace=lidar&ingress=notebook" in annotations_of(made)[SIGN_IN_AT]


async def _asks_to_sign_in(running: RunningPlatform, at: Browser, user: str) -> Answer:
    at.forget()
    opened = await sessions_in(running).open(Wanted(user, "Browser"))
    cookie = {"Cookie": f"{COOKIE}={opened.access}"}
    return await at.ask("GET", f"{at.url}{SIGN_IN}?{WHICH}&rd=https://{HOST}/lab?a=1&namespace=2", headers=cookie)


async def _signs_in(running: RunningPlatform, at: Browser, user: str) -> str:
    """As a browser would: refused, sent to the platform, back with a code, a cookie of the app's host."""
    assert await _checked(at, "") == (401, None)
    unknown = await at.ask("GET", f"{at.url}{SIGN_IN}?{WHICH}&rd=https://{HOST}/lab")
    assert (unknown.status, unknown.location.startswith("/identity/sign-in?next=")) == (303, True)
    sent = await _asks_to_sign_in(running, at, user)
    back = urlsplit(sent.location)
    assert (sent.status, back.scheme, back.netloc, back.path) == (303, "https", HOST, "/.skerry/signed-in")
    come = f"{at.url}{back.path}?{back.query}"
    elsewhere = await at.ask("GET", f"{at.url}{back.path}?code=guessed", headers={"Host": HOST})
    assert (elsewhere.status, "over or was used already" in elsewhere.says()) == (400, True)
    done = await at.ask("GET", come, headers={"Host": HOST})
    assert (done.status, done.location) == (303, "/lab?a=1&namespace=2")
    assert (await at.ask("GET", come, headers={"Host": HOST})).status == 400
    set_cookie = done.headers["Set-Cookie"]
    assert {"HttpOnly", "Secure", "SameSite=lax"} <= {part.strip() for part in set_cookie.split(";")}
    return set_cookie.partition(";")[0].partition("=")[2]


async def _checked(at: Browser, ticket: str, host: str = HOST) -> tuple[int, str | None]:
    headers = {"X-Original-URL": f"https://{host}/", **({"Cookie": f"{APP_COOKIE}={ticket}"} if ticket else {})}
    answer = await at.ask("GET", f"{at.url}{CHECK}?{WHICH}", headers=headers)
    return answer.status, answer.headers.get(USER_HEADER)


async def _is_out_when_the_membership_ends(running: RunningPlatform, at: Browser, clock: SetClock, ticket: str) -> None:
    await running.admin.patch(PROJECTS, "lidar", {"spec": {"members": []}}, kind="merge")

    async def refused() -> bool:
        clock.advance(21)
        return (await _checked(at, ticket))[0] == 403

    await until(refused, "ben is out")
    await running.admin.patch(
        PROJECTS, "lidar", {"spec": {"members": [{"user": "ben", "role": "viewer"}]}}, kind="merge"
    )

    async def let_in() -> bool:
        clock.advance(21)
        return (await _checked(at, ticket))[0] == 200

    await until(let_in, "ben is in again")
    await sessions_in(running).close_all("ben")
    assert await _checked(at, ticket) == (401, None)


async def _is_for_who_made_it(running: RunningPlatform, at: Browser) -> None:
    change = {"metadata": {"annotations": {ACCESS: "owner", "skerry.dev/user": "ben"}}}
    await running.as_user("anna").patch(INGRESSES, "web", change, "lidar", kind="merge")

    async def bens() -> str:
        return (await _asks_to_sign_in(running, at, "ben")).says()

    await until(lambda: _says(bens, "this app is for anna only; you are ben"), "ben is refused")
    assert (await _asks_to_sign_in(running, at, "anna")).location.startswith(f"https://{HOST}/.skerry/signed-in")


async def _says(ask: Callable[[], Awaitable[str]], text: str) -> bool:
    return text in await ask()


async def _is_there(running: RunningPlatform, name: str) -> bool:
    return any(one["metadata"]["name"] == name for one in (await running.admin.list(INGRESSES, "lidar")).items)


async def _is_gone(running: RunningPlatform, name: str) -> bool:
    return not await _is_there(running, name)
