"""Every chart that is shipped is launched from its form, as it is when nothing is changed, in a real browser.

One platform and one browser for all of them. What the charts come to is the business of their own tests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from skerry.platform.catalog.types import CATALOG_ENTRIES
from skerry.platform.releases.types import RELEASES
from tests.component.portal.test_launch import DESKTOP, Looked
from tests.support.portal import ROOT, RunningPortal, chromium, page_of, running_portal, visit
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
CHARTS = sorted(one.parent.name for one in (ROOT / "charts").glob("*/Chart.yaml"))
UNLABELLED = """[...document.querySelectorAll('.launch input:not([type=hidden]), .launch select, .launch textarea')]
    .filter(one => !one.labels || !one.labels.length || !one.labels[0].innerText.trim()).map(one => one.name)"""


@dataclass
class Anna:
    """A researcher with a project `lidar` of the free tier, at a browser."""

    portal: RunningPortal
    looked: Looked


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def anna() -> AsyncIterator[Anna]:
    async with running_portal() as portal, chromium() as made:
        await portal.project("lidar", "anna", tier="free")
        await until(lambda: _are_there(portal), "all charts")
        page = await page_of(made, portal, await portal.token_of("anna"), **DESKTOP)
        yield Anna(portal, Looked(page, "desktop"))


async def _are_there(portal: RunningPortal) -> bool:
    found = (await portal.running.admin.list(CATALOG_ENTRIES)).items
    kept = {one["spec"]["name"] for one in found if one["spec"]["versions"][0].get("archive")}
    return kept == set(CHARTS)


@pytest.mark.parametrize("chart", CHARTS)
async def test_a_shipped_chart_is_launched_from_its_form(anna: Anna, chart: str) -> None:
    page = anna.looked.page
    anna.looked.complaints.clear()
    await visit(page, f"/portal/launch/skerry-catalogs/skerry.{chart}")
    await page.wait_for_selector("#judged .cost, #judged .matter")
    assert await _texts(page, "#judged .matter, #judged .found-wrong") == [], "the defaults are right and fit"
    assert await _texts(page, "#judged .cost.full") == []
    costs = " ".join(await _texts(page, "#judged .cost"))
    assert "CPU" in costs
    assert "left" in costs
    assert await page.locator("[name^='v/']").count() > 3
    await page.evaluate("document.querySelectorAll('.launch details').forEach(one => one.open = true)")
    assert await page.evaluate(UNLABELLED) == []
    await anna.looked.at(f"form-{chart}")

    await page.click(".launch button.primary")
    await page.wait_for_url(f"**/portal/apps/lidar/{chart}/progress")
    made = await anna.portal.running.admin.get(RELEASES, chart, "lidar")
    assert (made["spec"]["chart"]["catalog"], made["spec"]["chart"]["name"]) == ("skerry", chart)
    assert made["spec"]["values"] == {}, "what is as the chart has it is the chart's business, also in its next version"
    assert anna.looked.complaints == []
    await anna.portal.running.admin.delete(RELEASES, chart, "lidar")


async def _texts(page: Any, selector: str) -> list[str]:
    found: list[str] = await page.locator(selector).all_inner_texts()
    return found
