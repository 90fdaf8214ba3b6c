"""The portal's pages with 200 projects and 1,000 releases, one after the other over HTTPS on a kept connection.

On a test cluster, releases are not reconciled. The floor is the sign-in page, which asks the cluster nothing.
"""

from __future__ import annotations

import asyncio
import gzip
import re
import statistics
import time
from collections.abc import Sequence

from tests.support.browser import Browser
from tests.support.portal import RunningPortal, running_portal
from tests.support.waiting import until

from benchmarks.results import Row
from skerry.kube.objects import name_of
from skerry.platform.catalog.types import CATALOG_ENTRIES
from skerry.platform.projects.types import PROJECTS
from skerry.platform.releases.types import RELEASES

_PROJECTS, _RELEASES, _OF_ANNA, TIMES = 200, 1000, 20, 60
_SHOP = "/portal/launch/skerry-catalogs/skerry.web-application"
_PAGES = {
    "of an operator, all projects": "/portal/",
    "the catalogue": "/portal/catalogue/",
    "a chart": "/portal/catalogue/skerry-catalogs/skerry.web-application",
    "a form": _SHOP,
    "a project": "/portal/projects/team-7",
    "an app": "/portal/apps/team-7/app-7",
}


async def measure() -> list[Row]:
    """95th percentiles in milliseconds, and the bytes of a first visit."""
    async with running_portal() as portal:
        await _fill(portal)
        await portal.operator("olga")
        async with portal.signed_in("olga") as olga, portal.signed_in("anna") as anna:
            floor = await _p95(olga, "/identity/sign-in")
            rows = [Row(f"page: {name}", await _p95(olga, path), "ms", floor, 60) for name, path in _PAGES.items()]
            rows.append(Row(f"page: of {_OF_ANNA} projects", await _p95(anna, "/portal/"), "ms", floor, 60))
            rows.append(Row("form judged (helm template)", await _judged(olga), "ms", None, None))
            rows.append(Row("first visit", await _first_visit(anna) / 1024, "KiB", None, 200))
    return rows


async def _fill(portal: RunningPortal) -> None:
    """Projects of ten people; every tenth is anna's."""
    admin = portal.running.admin
    for number in range(_PROJECTS):
        owner = "anna" if number % (_PROJECTS // _OF_ANNA) == 0 else f"person-{number % 10}"
        await admin.create(PROJECTS, {"metadata": {"name": f"team-{number}"}, "spec": {"owner": owner}})
    await until(lambda: _all_ready(portal), "projects", 600)
    chart = {"catalog": "skerry", "name": "web-application"}
    status = {"phase": "Deployed", "chart": "web-application 1.0.0", "revision": 1, "url": "http://app.localhost"}
    for number in range(_RELEASES):
        release = {"metadata": {"name": f"app-{number}"}, "spec": {"chart": chart}}
        made = await admin.create(RELEASES, release, f"team-{number % _PROJECTS}")
        await admin.update(RELEASES, {**made, "status": status}, "status")
    await until(lambda: _has_charts(portal), "charts")


async def _all_ready(portal: RunningPortal) -> bool:
    found = (await portal.running.admin.list(PROJECTS)).items
    return all((one.get("status") or {}).get("quota") for one in found)


async def _has_charts(portal: RunningPortal) -> bool:
    return "skerry.web-application" in map(name_of, (await portal.running.admin.list(CATALOG_ENTRIES)).items)


async def _p95(someone: Browser, path: str) -> float:
    """The first time counts like the others."""
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        answer = await someone.get(path)
        taken.append(time.perf_counter() - begun)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {answer.says()[:500]}")
        await asyncio.sleep(0)
    return _percentile(taken) * 1000


def _percentile(taken: Sequence[float]) -> float:
    return statistics.quantiles(taken, n=20, method="inclusive")[-1]


async def _judged(someone: Browser) -> float:
    """Each with another value: nothing is remembered."""
    page = await someone.get(_SHOP)
    form = re.findall(r'name="form" value="([^"]+)"', page.text)[0]
    taken = []
    for number in range(10):
        fields = {"form": form, "name": "shop", "namespace": "team-7", "v/port": str(9000 + number)}
        begun = time.perf_counter()
        answer = await someone.post(f"{_SHOP}/check", headers={"HX-Request": "true"}, **fields)
        taken.append(time.perf_counter() - begun)
        if answer.status != 200 or "skerry launch" not in answer.says():
            raise RuntimeError(answer.says()[:500])
    return statistics.median(taken) * 1000


async def _first_visit(someone: Browser) -> int:
    """Of the page and everything it loads, as browsers are sent it."""
    page = await someone.get("/portal/")
    total = len(page.text.encode())
    for path in set(re.findall(r'(?:href|src)="(/portal/static/[^"]+)"', page.text)):
        total += len(gzip.compress((await someone.get(path)).text.encode(), 9))
    return total
