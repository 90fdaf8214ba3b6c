"""From the link of the first operator to a notebook that computes, in a real browser, on real containers.

Nothing is prepared but the image: the person signs in, asks for a project, launches from the catalogue, opens the app's
address, which asks who it is, and runs a cell. And what goes wrong says what to do.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.charts import lend_images
from tests.support.portal import ROOT, chromium, visit
from tests.support.program import Program
from tests.support.waiting import LIMIT, WITH_IMAGES, WITHIN

pytestmark = pytest.mark.timeout(WITH_IMAGES)
_PASSWORD = "correct horse battery"
_PATIENCE = 2 * LIMIT * 1000  # milliseconds
_CATALOGUE = "/portal/launch/skerry-catalogs/skerry."


async def test_from_the_first_link_to_a_cell_that_computes(
    program: Program, fresh_program: Program, tmp_path: Path
) -> None:
    shared, program = program, fresh_program
    program.platform = True
    printed = program.up()
    (link,) = re.findall(r"first operator, once: (\S+)", printed)
    lend_images(shared, program, tmp_path, "jupyterlab")
    async with chromium(f"--host-resolver-rules=MAP *.localhost {_ingress_of(program)}") as made:
        context = await made.new_context(ignore_https_errors=True, base_url=link.partition("/identity/")[0])
        context.set_default_timeout(_PATIENCE)
        page = await context.new_page()
        await _signs_in(page, link)
        await _asks_for_a_project(page)
        await _is_told_what_is_wrong(page)
        await visit(page, f"{_CATALOGUE}jupyterlab")
        await page.get_by_label("Name").first.fill("notebook")
        await page.get_by_role("button", name="Launch", exact=True).click()
        link_to_it = page.get_by_role("link", name="Open notebook")
        await link_to_it.wait_for()
        await _shot(page, "launched")
        async with context.expect_page() as opened:
            await link_to_it.click()
        await _computes(await opened.value)
    assert program.get("-n", "lidar", "release/notebook")["status"]["url"] == "https://notebook.lidar.localhost"


def _ingress_of(program: Program) -> str:
    """Where the Ingress of this instance serves https: the service comes with the first Ingress."""
    program.kubectl("create", "ingress", "first", "--rule=first.localhost/*=none:80")
    address = json.loads(program.skerry("status", "-o", "json").stdout)["nodePorts"].partition(":")[0]
    program.kubectl("wait", "-n", "kube-system", "service/ingress", "--for=create", WITHIN)
    ports = program.get("-n", "kube-system", "service/ingress")["spec"]["ports"]
    (node_port,) = (one["nodePort"] for one in ports if one["name"] == "https")
    return f"{address}:{node_port}"


async def _signs_in(page: Any, link: str) -> None:
    await visit(page, link)
    await page.get_by_label("Username").fill("anna")
    for name in ("password", "again"):
        await page.locator(f"input[name={name}]").fill(_PASSWORD)
    await page.get_by_role("button").click()
    await page.get_by_role("heading", name="You are in no project yet").wait_for()
    assert page.url.endswith("/portal/")
    await _shot(page, "signed-in")


async def _asks_for_a_project(page: Any) -> None:
    await page.get_by_role("link", name="Ask for a project").first.click()
    await page.get_by_label("Name").fill("lidar")
    await page.get_by_role("button", name="Ask", exact=True).click()
    await page.get_by_role("heading", name="lidar").wait_for()


async def _is_told_what_is_wrong(page: Any) -> None:
    """Quota, values, an image: before anything is made."""
    await visit(page, f"{_CATALOGUE}web-application")
    await page.get_by_label("CPU").first.fill("4")
    await page.get_by_text("CPU: 2 too much. Make it smaller, stop something else, or ask for more.").wait_for()
    await page.get_by_label("CPU").first.fill("100m")
    await page.get_by_label("Image").first.fill("skerry.local/nowhere:1")
    await page.get_by_role("button", name="Launch", exact=True).click()
    for place in (".message.bad", "#judged .matter"):
        await page.locator(place, has_text="no node has the image skerry.local/nowhere:1").wait_for()
    await _shot(page, "refused")


async def _computes(lab: Any) -> None:
    """In JupyterLab, behind the sign-on."""
    await lab.locator('.jp-LauncherCard[data-category="Notebook"]').first.click()
    await lab.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    await lab.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
    await lab.keyboard.type("print(6 * 7)")
    await lab.keyboard.press("Shift+Enter")
    await lab.locator(".jp-OutputArea-output", has_text=re.compile(r"^\s*42\s*$")).first.wait_for()
    await _shot(lab, "computed")
    assert lab.url.startswith("https://notebook.lidar.localhost/")


async def _shot(page: Any, name: str) -> None:
    """Kept as the test's output, to be looked at."""
    await page.screenshot(path=ROOT / "build" / "screenshots" / f"first-hour-{name}.png")
