"""A project's page: who sees what, members, sleep, requests; what the cluster refuses is refused."""

from __future__ import annotations

import re

from skerry.platform.projects.types import PROJECT_REQUESTS, PROJECTS
from skerry.platform.releases.types import RELEASES
from tests.support.browser import Answer, Browser
from tests.support.portal import RunningPortal, running_portal
from tests.support.waiting import until

XSS = "<script>alert(1)</script>"


async def _post(someone: Browser, page: str, path: str, **fields: str) -> Answer:
    """As the form of a page would."""
    shown = await someone.get(page)
    form = re.findall(r'name="form" value="([^"]+)"', shown.text)[0]
    return await someone.post(path, **{"form": form, **fields})


async def test_projects_are_looked_after() -> None:
    async with running_portal() as portal:
        await portal.project("lidar", "anna", members=[{"user": "ben", "role": "viewer"}])
        spec = {"chart": {"catalog": "skerry", "name": "web"}}
        await portal.running.admin.create(RELEASES, {"metadata": {"name": "shop"}, "spec": spec}, "lidar")
        async with portal.signed_in("anna") as anna, portal.signed_in("ben") as ben, portal.signed_in("carl") as carl:
            await until(lambda: _says(ben, "/portal/projects/lidar", "shop"), "ben sees the app")
            page = await ben.get("/portal/projects/lidar")
            assert "Put it to sleep" not in page.says()
            assert "Launch an app" not in page.says()
            assert (await carl.get("/portal/projects/lidar")).status == 403
            await _owners_change_members(portal, anna, ben, carl)
            await _owners_put_it_to_sleep(portal, anna)
            await _people_ask(portal, anna, carl)


async def _says(someone: Browser, path: str, text: str) -> bool:
    return text in (await someone.get(path)).says()


async def _owners_change_members(portal: RunningPortal, anna: Browser, ben: Browser, carl: Browser) -> None:
    home, members = "/portal/projects/lidar", "/portal/projects/lidar/members"
    refused = await _post(ben, home, members, kind="user", who="ben", role="owner")
    assert (refused.status, "You may not do that" in refused.says()) == (403, True)
    assert (await _post(anna, home, members, kind="user", who="", role="owner")).status == 400
    done = await _post(anna, home, members, kind="user", who="carl", role="editor")
    assert (done.status, done.location) == (303, home)
    assert "carl is in the project now." in (await anna.get(home)).says()
    assert "carl is in the project now." not in (await anna.get(home)).says()
    await until(lambda: _says(carl, home, "Launch an app"), "carl is in")
    shown = await _post(anna, home, members, kind="group", who=XSS, role="viewer")
    assert shown.status == 303
    assert XSS not in (await anna.get(home)).text
    await _post(anna, home, f"{members}/remove", kind="group", who=XSS)
    await _post(anna, home, f"{members}/remove", kind="user", who="carl")
    assert (await _post(anna, home, f"{members}/remove", kind="user", who="carl")).status == 404
    await until(lambda: _status(carl, home, 403), "carl is out")
    found = await portal.running.admin.get(PROJECTS, "lidar")
    assert found["spec"]["members"] == [{"user": "ben", "role": "viewer"}]


async def _status(someone: Browser, path: str, status: int) -> bool:
    return (await someone.get(path)).status == status


async def _owners_put_it_to_sleep(portal: RunningPortal, anna: Browser) -> None:
    done = await _post(anna, "/portal/projects/lidar", "/portal/projects/lidar/state", state="Hibernated")
    assert done.status == 303
    assert (await portal.running.admin.get(PROJECTS, "lidar"))["spec"]["state"] == "Hibernated"
    await until(lambda: _says(anna, "/portal/projects/lidar", "Wake it"), "asleep")
    await _post(anna, "/portal/projects/lidar", "/portal/projects/lidar/state", state="Active")
    assert (await portal.running.admin.get(PROJECTS, "lidar"))["spec"]["state"] == "Active"


async def _people_ask(portal: RunningPortal, anna: Browser, carl: Browser) -> None:
    new = "/portal/requests/new"
    assert "At once." in (await carl.get(new)).says()
    bad = await _post(carl, new, new, kind="Project", project="Not A Name", tier="free")
    assert bad.status in (400, 422)
    taken = await _post(carl, new, new, kind="Project", project="lidar", tier="free", reason="my maps")
    assert (taken.status, "there is a project lidar already" in taken.says(), "my maps" in taken.text) == (
        422,
        True,
        True,
    )
    assert "admission webhook" not in taken.text
    asked = await _post(carl, new, new, kind="Project", project="coast", tier="free", reason=XSS)
    assert (asked.status, asked.location) == (303, "/portal/?asked=coast")
    await until(lambda: _says(carl, "/portal/", "coast"), "the project that was asked for")
    more = {"kind": "Quota", "project": "lidar", "q/requests.cpu": "8", "reason": "a campaign"}
    assert (await _post(anna, new, new, **{**more, "q/requests.cpu": ""})).status == 400
    assert (await _post(anna, f"{new}?kind=Quota&project=lidar", new, **more)).location == "/portal/projects/lidar"
    await until(lambda: _says(anna, "/portal/projects/lidar", "Waits for a decision"), "the request")
    found = (await portal.running.admin.list(PROJECT_REQUESTS)).items
    wanted = next(one["spec"] for one in found if one["spec"]["kind"] == "Quota")
    assert (wanted["requester"], wanted["quota"]) == ("anna", {"requests.cpu": "8", "limits.cpu": "8"})
