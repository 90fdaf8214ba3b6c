"""What every page stands in: who may look, forms that are forged, what browsers are told, languages, failures."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from skerry.platform.identity.login.welcome import COOKIE
from skerry.platform.projects.types import PROJECTS
from tests.support.browser import Browser, browser
from tests.support.portal import RunningPortal, running_portal
from tests.support.waiting import until


class _Inline(HTMLParser):
    """Notes what a strict policy forbids, and what injected markup would be."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        bad = [name for name in names if name == "style" or (name.startswith("on"))]
        if bad or tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(f"{tag} {bad}")


def inline_in(page: str) -> list[str]:
    """Scripts and styles within a page."""
    parser = _Inline()
    parser.feed(page)
    return parser.found


XSS = "<img src=x onerror=alert(1)>"


async def test_the_frame() -> None:
    async with running_portal() as portal:
        await portal.project("lidar", "anna", description=XSS)
        await portal.project("glacier", "ben")
        async with browser(portal.url, portal.running.platform.ca) as nobody:
            await _is_sent_to_sign_in_and_back(nobody)
        async with portal.signed_in("anna") as anna:
            await _sees_what_is_hers(anna)
            await _headers_are_strict(anna)
            await _forged_forms_are_refused(portal, anna)
            await _other_sites_take_nothing_in(anna)
            await _reads_german_in_the_dark(anna)
        await _forms_last_when_a_link_leads_here(portal)
        await _operators_see_all_until_they_are_none(portal)


async def _is_sent_to_sign_in_and_back(nobody: Browser) -> None:
    home = await nobody.get("/", follow=False)
    assert (home.status, home.location) == (303, "/portal/")
    asked = await nobody.get("/portal/?q=x", follow=False)
    assert (asked.status, asked.location) == (303, "/identity/sign-in?next=%2Fportal%2F%3Fq%3Dx")
    assert (await nobody.post("/portal/preferences", theme="dark")).location == "/portal/"
    part = await nobody.get("/portal/", headers={"HX-Request": "true"})
    assert (part.status, part.headers["HX-Refresh"]) == (204, "true")


async def _sees_what_is_hers(anna: Browser) -> None:
    page = await anna.get("/portal/")
    assert page.status == 200
    assert "lidar" in page.says()
    assert "glacier" not in page.text
    assert "0 B of 4 GiB" in page.says()
    assert XSS not in page.text
    assert "&lt;img src=x" in page.text
    nothing = await anna.get("/portal/no-such-page")
    assert (nothing.status, "Nothing here" in nothing.says()) == (404, True)
    gone, others = await anna.get("/portal/apps/lidar/gone"), await anna.get("/portal/projects/glacier")
    assert (gone.status, "may have been deleted" in gone.says()) == (404, True)
    assert (others.status, "owners give roles in their project" in others.says()) == (403, True)
    assert 'href="/portal/projects/lidar"' in (await anna.get("/portal/", headers={"HX-Request": "true"})).text


async def _headers_are_strict(anna: Browser) -> None:
    page = await anna.get("/portal/")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert inline_in(page.text) == []
    found = re.findall(r'(?:href|src)="(/portal/static/[^"]+)"', page.text)
    assert found
    for one in found:
        kept = await anna.get(one)
        assert (kept.status, kept.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
    for reaching in (
        "/portal/static/x/../web/site.py",
        "/portal/static/x/..%2fportal.py",
        "/portal/static/x//etc/passwd",
    ):
        assert (await anna.get(reaching)).status == 404


async def _forged_forms_are_refused(portal: RunningPortal, anna: Browser) -> None:
    page = await anna.get("/portal/")
    own = {"form": re.findall(r'name="form" value="([^"]+)"', page.text)[0], "next": "/portal/", "theme": "dark"}
    assert (await anna.post("/portal/preferences", **{**own, "form": "guessed"})).status == 400
    elsewhere = await anna.post("/portal/preferences", headers={"Origin": "https://evil.example"}, **own)
    assert (elsewhere.status, "not opened in this browser" in elsewhere.says()) == (400, True)
    app = await anna.post("/portal/preferences", headers={"Sec-Fetch-Site": "same-site"}, **own)
    assert app.status == 400
    for path in ("/portal/preferences", "/identity/sign-out"):
        assert (await anna.post(path, **{**own, "form": "übel"})).status == 400, path
    assert (await anna.post("/portal/preferences", **{**own, "next": "//evil.example"})).location == "/"
    async with browser(portal.url, portal.running.platform.ca) as other:
        other.keep(COOKIE, anna.cookie(COOKIE))
        assert (await other.post("/portal/preferences", **own)).status == 400


async def _other_sites_take_nothing_in(anna: Browser) -> None:
    """Apps are of the same site, and anybody's: their pages may link here, not have what is here as a part."""
    for site, mode, status in (("same-site", "no-cors", 403), ("cross-site", "cors", 403), ("same-origin", "cors", 200),
                               ("same-site", "navigate", 200), ("none", "navigate", 200)):  # fmt: skip
        answer = await anna.get("/portal/", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode})
        assert answer.status == status, (site, mode)


async def _forms_last_when_a_link_leads_here(portal: RunningPortal) -> None:
    """From elsewhere: a page that is opened so shows the form value that other tabs have."""
    async with portal.signed_in("anna") as anna:
        kept = (await anna.get("/portal/")).headers.getall("Set-Cookie")
        assert ["samesite=lax" in one.lower() for one in kept if one.startswith("__Host-skerry-form=")] == [True]


async def _reads_german_in_the_dark(anna: Browser) -> None:
    assert '<html lang="en"' in (await anna.get("/portal/")).text
    german = await anna.get("/portal/", headers={"Accept-Language": "fr;q=0.9,de-AT"})
    assert ("Projekte" in german.says(), '<html lang="de" data-theme="dark"' in german.text) == (True, True)


async def test_who_asks_too_often_is_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skerry.portal.web.site._WRITES", 2)
    async with running_portal() as portal, portal.signed_in("anna") as anna, portal.signed_in("ben") as ben:
        for someone, statuses in ((anna, [303, 303, 429]), (ben, [303])):
            page = await someone.get("/portal/", headers={"Accept-Language": "de"})
            form = re.findall(r'name="form" value="([^"]+)"', page.text)[0]
            own = {"form": form, "next": "/portal/", "theme": "dark"}
            done = [
                await someone.post("/portal/preferences", headers={"Accept-Language": "de"}, **own) for _ in statuses
            ]
            assert [one.status for one in done] == statuses
            if statuses[-1] == 429:
                assert "Zu viele Anfragen" in done[-1].says()


async def _operators_see_all_until_they_are_none(portal: RunningPortal) -> None:
    await portal.operator("olga")
    async with portal.signed_in("olga") as olga:
        assert "glacier" in (await olga.get("/portal/?q=gla")).says()
        assert "lidar" not in (await olga.get("/portal/?q=gla")).says()
    async with portal.signed_in("ben") as ben:
        assert "glacier" in (await ben.get("/portal/")).says()
        await portal.running.admin.patch(PROJECTS, "glacier", {"spec": {"owner": "anna"}})
        await until(lambda: _says(ben, "You are in no project yet"), "ben is out")


async def _says(someone: Browser, text: str) -> bool:
    return text in (await someone.get("/portal/")).says()
