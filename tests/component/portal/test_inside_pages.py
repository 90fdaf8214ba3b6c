"""The pages of an app and of operators in a real browser: nothing stands in anybody's way, nothing is wider than a
phone, no script fails, what is live is live, and by keyboard one gets everywhere and out again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playwright.async_api import expect

from skerry.platform.releases.types import RELEASES
from tests.support.apps import BY_HAND, app_by_hand, happened, pods_of
from tests.support.axe import barriers_of
from tests.support.portal import RunningPortal, chromium, page_of, running_portal, visit
from tests.support.waiting import LIMIT

APP = "/portal/apps/lidar/notebook"
TABS = ("", "/logs", "/terminal", "/files", "/usage", "/values", "/history?of=2", "/remove")
STRANGERS = ("/identity/sign-in", "/identity/link/used-before")
AMISS = ("/portal/apps/lidar/gone", "/portal/projects/others", "/portal/nothing", "/portal/catalogue/?q=no-such-chart")
OPERATORS = ("", "nodes", "requests", "projects", "tiers", "catalogues")
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "locale": "de"}


async def test_pages_are_for_everybody() -> None:
    async with running_portal(capabilities=BY_HAND) as portal:
        await portal.project("lidar", "anna")
        await app_by_hand(portal, "lidar", "notebook", {"greeting": "hello", "access": "members"})
        await _comes_from_upstream(portal)
        (pod,) = await pods_of(portal, "lidar", "notebook")
        await happened(portal, pod, "Unhealthy", "HTTP probe failed with statuscode: 503")
        anna, olga = await portal.token_of("anna"), await portal.operator("olga")
        async with chromium() as made:
            for options, tabs, operators in ((DESK, TABS, OPERATORS), (PHONE, TABS[::2], OPERATORS[::3])):
                await _none_has_barriers(await page_of(made, portal, anna, **options), [APP + tab for tab in tabs])
                paths = [f"/portal/operators/{tab}" for tab in operators]
                await _none_has_barriers(await page_of(made, portal, olga, **options), paths)
                await _none_has_barriers(await page_of(made, portal, "", **options), STRANGERS)
                await _none_has_barriers(await page_of(made, portal, anna, **options), AMISS)
            page = await page_of(made, portal, anna, **DESK)
            await visit(page, APP)
            await page.get_by_text(f"main@sha1:{'0a' * 20}").wait_for()
            await page.get_by_text("was there last goes on. git.example does not answer").wait_for()
            await _is_live_and_keeps_the_focus(portal, page)
            await _compares_as_it_is_typed(page)
            await _tells_the_command_for_what_is_chosen(page)


async def _comes_from_upstream(portal: RunningPortal) -> None:
    """Which has gone meanwhile."""
    release = await portal.running.admin.get(RELEASES, "notebook", "lidar")
    told = {"type": "Fetched", "status": "False", "reason": "NoAnswer", "message": "git.example does not answer"}
    conditions = [*(release["status"].get("conditions") or ()), told]
    status = {**release["status"], "revision": 2, "sourceRevision": f"main@sha1:{'0a' * 20}", "conditions": conditions}
    await portal.running.admin.update(RELEASES, {**release, "status": status}, "status")


async def _none_has_barriers(page: Any, paths: Sequence[str]) -> None:
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    policy = "Content Security Policy"
    page.on("console", lambda said: wrong.append(f"{said.text} {said.location}") if policy in said.text else None)
    for path in paths:
        await visit(page, path)
        assert await barriers_of(page) == [], path
        wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider == 0, path
        if await page.locator(".tabs [aria-current]").count():
            await expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=0.9, timeout=LIMIT * 1000)
    assert wrong == []
    await page.context.close()


async def _is_live_and_keeps_the_focus(portal: RunningPortal, page: Any) -> None:
    await visit(page, APP)
    await page.get_by_role("link", name="Open").focus()
    release = await portal.running.admin.get(RELEASES, "notebook", "lidar")
    status = {**release["status"], "phase": "Upgrading", "step": "waits for one of two pods"}
    await portal.running.admin.update(RELEASES, {**release, "status": status}, "status")
    await page.get_by_text("waits for one of two pods").wait_for()
    assert await page.evaluate("document.activeElement.id") == "open", "what is replaced keeps the focus"


async def _compares_as_it_is_typed(page: Any) -> None:
    await visit(page, f"{APP}/values")
    await page.get_by_label("Values", exact=True).fill("greeting: hi\naccess: members\n")
    await page.locator(".difference .added", has_text="greeting: hi").wait_for()
    await page.get_by_label("Values", exact=True).fill("greeting: [\n")
    await page.get_by_role("alert").wait_for()


async def _tells_the_command_for_what_is_chosen(page: Any) -> None:
    await visit(page, APP)
    await page.get_by_label("Who may change things in the project").check()
    await page.get_by_text("--set access=editors").wait_for()
