"""What operators see and do by the portal, and that nobody else does."""

from __future__ import annotations

import re

from skerry.kube.resources import NODES
from skerry.platform.catalog.types import CATALOGS, GLOBAL_NAMESPACE
from skerry.platform.projects.types import PROJECT_REQUESTS, PROJECTS
from tests.component.portal.test_frame import inline_in
from tests.support.browser import Browser
from tests.support.portal import RunningPortal, running_portal
from tests.support.waiting import until

HOME = "/portal/operators/"
TABS = ("", "nodes", "requests", "projects", "tiers", "catalogues")
XSS = "<script>alert(1)</script>"


async def test_operators() -> None:
    async with running_portal() as portal:
        await portal.project("lidar", "anna", description="maps of the coast")
        async with portal.signed_in("ben") as ben:
            await _is_not_for_everybody(ben)
            await portal.running.as_user("ben").create(
                PROJECT_REQUESTS,
                {"metadata": {"name": "lidar-x"}, "spec": {"kind": "Project", "project": "glacier", "reason": XSS,
                 "tier": await _manual_tier(portal)}},
            )  # fmt: skip
        await portal.operator("olga")
        async with portal.signed_in("olga") as olga:
            for tab in TABS:
                page = await olga.get(HOME + tab)
                assert (page.status, inline_in(page.text)) == (200, []), tab
                assert XSS not in page.text
            assert 'aria-current="page"' in (await olga.get(HOME)).text
            await _sees_how_it_is(olga)
            await _takes_a_machine_out_of_work(portal, olga)
            await _decides(portal, olga)
            await _looks_after_catalogues(portal, olga)


async def _manual_tier(portal: RunningPortal) -> str:
    from skerry.platform.projects.types import TIERS

    listed = (await portal.running.admin.list(TIERS)).items
    return next(str(one["metadata"]["name"]) for one in listed if one["spec"].get("approval", "Manual") == "Manual")


async def _is_not_for_everybody(ben: Browser) -> None:
    assert HOME not in (await ben.get("/portal/")).text
    for tab in TABS:
        assert (await ben.get(HOME + tab)).status == 403, tab
    form = {"form": ben.cookie("__Host-skerry-form")}
    assert (await ben.post(f"{HOME}nodes/node-1", **form, cordoned="yes")).status == 403
    assert (await ben.post(f"{HOME}catalogues", **form, name="x", type="Hosted")).status == 403
    assert (await ben.post(f"{HOME}catalogues/{GLOBAL_NAMESPACE}/skerry/remove", **form)).status == 403


async def _form(olga: Browser, tab: str) -> dict[str, str]:
    page = await olga.get(HOME + tab)
    return {"form": re.findall(r'name="form" value="([^"]+)"', page.text)[0]}


async def _sees_how_it_is(olga: Browser) -> None:
    async def shown() -> bool:
        """From the platform's caches."""
        says = (await olga.get(HOME)).says()
        for text in ("It answers, in", "1 of 1 are well.", "Waiting for a decision: 1.", "It is up to date."):
            assert text in says, text
        return True

    await until(shown, "how it is")
    found = (await olga.get(f"{HOME}projects?q=anna", headers={"HX-Request": "true"})).says()
    assert "lidar" in found
    assert "anna" in found
    assert "Nothing found" in (await olga.get(f"{HOME}projects?q=nothing-like-it")).says()
    assert "free" in (await olga.get(f"{HOME}tiers")).says()


async def _takes_a_machine_out_of_work(portal: RunningPortal, olga: Browser) -> None:
    form = await _form(olga, "nodes")
    await olga.post(f"{HOME}nodes/node-1", **form, cordoned="yes")
    assert (await portal.running.admin.get(NODES, "node-1"))["spec"]["unschedulable"] is True
    assert "It is given no more pods." in (await olga.get(f"{HOME}nodes")).says()
    await olga.post(f"{HOME}nodes/node-1", **form, cordoned="no")
    assert "unschedulable" not in (await portal.running.admin.get(NODES, "node-1"))["spec"]
    assert (await olga.post(f"{HOME}nodes/node-1", **form, cordoned="maybe")).status == 400


async def _decides(portal: RunningPortal, olga: Browser) -> None:
    form = await _form(olga, "requests")
    refused = await olga.post(f"{HOME}requests/lidar-x", **form, decision="Denied", answer="")
    assert (refused.status, "Say why not" in refused.says()) == (400, True)
    await olga.post(f"{HOME}requests/lidar-x", **form, decision="Denied", answer="not this year")
    spec = (await portal.running.admin.get(PROJECT_REQUESTS, "lidar-x"))["spec"]
    assert (spec["decision"], spec["decidedBy"], spec["answer"]) == ("Denied", "olga", "not this year")
    says = (await olga.get(f"{HOME}requests")).says()
    assert "not this year" in says
    assert "No request waits" in says
    assert [one["metadata"]["name"] for one in (await portal.running.admin.list(PROJECTS)).items] == ["lidar"]


async def _looks_after_catalogues(portal: RunningPortal, olga: Browser) -> None:
    form = await _form(olga, "catalogues")
    assert (await olga.post(f"{HOME}catalogues", **form, name="ours", type="Directory")).status == 400
    assert (await olga.post(f"{HOME}catalogues", **form, name="ours", type="Hosted")).status == 303
    assert "ours" in (await olga.get(f"{HOME}catalogues")).says()
    path = f"{HOME}catalogues/{GLOBAL_NAMESPACE}/ours"
    await olga.post(f"{path}/suspend", **form)
    assert (await portal.running.admin.get(CATALOGS, "ours", GLOBAL_NAMESPACE))["spec"]["suspended"] is True
    await olga.post(f"{path}/resume", **form)
    await olga.post(f"{path}/refresh", **form)
    annotations = (await portal.running.admin.get(CATALOGS, "ours", GLOBAL_NAMESPACE))["metadata"]["annotations"]
    assert annotations["skerry.dev/refresh"]
    assert (await olga.post(f"{path}/explode", **form)).status == 404
    await olga.post(f"{path}/remove", **form)
    assert "ours" not in [one["metadata"]["name"] for one in (await portal.running.admin.list(CATALOGS)).items]
