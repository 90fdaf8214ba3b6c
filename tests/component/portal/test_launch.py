"""A researcher launches an app, in a real browser: found, filled in, judged, launched, opened; and what goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skerry.platform.catalog.types import CATALOG_ENTRIES
from skerry.platform.releases.types import RELEASES
from tests.support.axe import barriers_of
from tests.support.portal import ROOT, RunningPortal, chromium, is_of_the_network, page_of, running_portal, visit
from tests.support.waiting import until

SHOTS = ROOT / "build/screenshots"
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "locale": "de-DE", "color_scheme": "dark", "has_touch": True}


class Looked:
    """A page that is looked at: axe finds nothing, the browser complains of nothing, a picture is kept."""

    def __init__(self, page: Any, name: str) -> None:
        self.page, self._name = page, name
        self.complaints: list[str] = []
        page.on("console", lambda one: self._complains(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda one: self._complains(str(one)))

    def _complains(self, text: str) -> None:
        if not is_of_the_network(text):
            self.complaints.append(text)

    async def at(self, what: str) -> None:
        """At what is shown now."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=str(SHOTS / f"{what}-{self._name}.png"))
        assert await barriers_of(self.page) == [], what
        width = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, f"{what} is wider than the window by {width}"


async def test_a_researcher_launches_an_app(tmp_path: Path) -> None:
    async with running_portal() as portal, chromium() as made:
        await portal.project("lidar", "anna", description="Maps of the coast")
        await until(lambda: _has_charts(portal), "charts")
        token = await portal.token_of("anna")
        looked = Looked(await page_of(made, portal, token, **DESKTOP), "desktop")
        await _finds_the_chart(looked)
        await _fills_in_the_form(portal, looked, "web")
        assert [one for one in looked.complaints if "422" not in one] == []
        await _on_a_phone(Looked(await page_of(made, portal, token, **PHONE), "phone"))


async def _on_a_phone(looked: Looked) -> None:
    """In German, in the dark."""
    chart = "skerry-catalogs/skerry.web-application"
    progress = "/portal/apps/lidar/web/progress"
    paths = ("/portal/projects/lidar", "/portal/catalogue/", f"/portal/catalogue/{chart}", progress)
    for what, path in zip(("project", "catalogue", "chart", "launched"), paths, strict=True):
        await visit(looked.page, path)
        await looked.at(what)
    await visit(looked.page, f"/portal/launch/{chart}")
    await looked.page.wait_for_selector("#judged .command")
    await looked.at("form")
    assert "starten" in await looked.page.inner_text("h1")
    assert "von noch" in await looked.page.inner_text("#judged")
    assert looked.complaints == []


async def _has_charts(portal: RunningPortal) -> bool:
    found = await portal.running.admin.list(CATALOG_ENTRIES)
    return {"skerry.web-application", "skerry.static-site"} <= {one["metadata"]["name"] for one in found.items}


async def _finds_the_chart(looked: Looked) -> None:
    page = looked.page
    await visit(page, "/portal/")
    await looked.at("projects")
    await page.click("#found a:text('lidar')")
    await page.wait_for_selector("#uses")
    await looked.at("project")
    await page.click("a[href*='kind=Quota']")
    await looked.at("request")
    await page.click("nav.main a[href='/portal/catalogue/']")
    await looked.at("catalogue")
    await page.fill("#q", "static")
    await page.wait_for_selector("#found li:only-child")
    await page.fill("#q", "http web")
    await page.click("#found a:text('Web application')")
    await page.wait_for_selector(".prose")
    await looked.at("chart")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.click("a.primary")


async def _fills_in_the_form(portal: RunningPortal, looked: Looked, name: str) -> None:
    page = looked.page
    await page.wait_for_selector("#judged .command")
    await page.fill("#name", "Not A Name")
    await page.fill("[name='v/replicas']", "21")
    await page.wait_for_selector("#wrong-name:not(:empty)")
    await page.wait_for_selector("[name='v/replicas'][aria-invalid=true]")  # judged by itself, if the machine is slow
    await page.wait_for_selector("#wrong-f-replicas:has-text('20')")
    await looked.at("form-wrong")
    await page.fill("#name", name)
    await page.fill("[name='v/replicas']", "12")
    await page.wait_for_selector("#judged .cost.full")
    await page.click(".launch button.primary")
    await page.wait_for_selector("#judged [name=anyway]")
    await page.wait_for_selector(".message.bad:has-text('more than the project has left')")
    assert await page.input_value("[name='v/replicas']") == "12"
    await looked.at("form-over")
    await page.fill("[name='v/replicas']", "2")
    await page.wait_for_selector("#judged .cost:not(.full)")
    await page.wait_for_selector("#judged:not(:has(.full)) code:has-text('replicas: 2')")
    await looked.at("form")
    await page.click(".launch button.primary")
    await _follows_it(portal, looked, name)


async def _follows_it(portal: RunningPortal, looked: Looked, name: str) -> None:
    page = looked.page
    await page.wait_for_url(f"**/portal/apps/lidar/{name}/progress")
    made = await portal.running.admin.get(RELEASES, name, "lidar")
    assert made["spec"]["values"] == {"replicas": 2}
    assert made["spec"]["chart"]["catalog"] == "skerry"
    await looked.at("launching")
    await _becomes(portal, name, phase="Installing", step="1 of 2 pods are ready")
    await page.wait_for_selector("text=1 of 2 pods are ready")
    failed = {"type": "Ready", "status": "False", "reason": "Failed", "message": "<b>no</b> such image: web:9"}
    await _becomes(portal, name, phase="Failed", revision=1, conditions=[failed])
    await page.wait_for_selector("[role=alert]:has-text('<b>no</b> such image: web:9')")
    await looked.at("failed")
    await page.click("a[href*='like=']")
    await page.wait_for_selector("#judged .cost")
    assert await page.input_value("[name='v/replicas']") == "2"
    await visit(page, f"/portal/apps/lidar/{name}/progress")
    await _becomes(portal, name, phase="Deployed", revision=2, url="http://web.lidar.localhost")
    await visit(page, f"/portal/apps/lidar/{name}/progress")
    await page.wait_for_selector(".buttons .primary[href='http://web.lidar.localhost']")
    await looked.at("running")


async def _becomes(portal: RunningPortal, name: str, **status: Any) -> None:
    release = await portal.running.admin.get(RELEASES, name, "lidar")
    await portal.running.admin.update(RELEASES, {**release, "status": status}, "status")
