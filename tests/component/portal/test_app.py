"""An app from inside, as its people see it: what it shows, what it does, and to whom it does neither."""

from __future__ import annotations

import re

from skerry.platform.releases.types import RELEASES
from tests.component.portal.test_frame import inline_in
from tests.support.apps import BY_HAND, app_by_hand, happened, pods_of
from tests.support.browser import Answer, Browser
from tests.support.portal import RunningPortal, running_portal
from tests.support.waiting import until

APP = "/portal/apps/lidar/notebook"
XSS = "<script>alert(1)</script>"


async def test_one_app() -> None:
    async with running_portal(capabilities=BY_HAND) as portal:
        await portal.project("lidar", "anna", members=[{"user": "vera", "role": "viewer"}])
        await app_by_hand(portal, "lidar", "notebook", {"greeting": XSS, "access": "members"})
        (pod,) = await pods_of(portal, "lidar", "notebook")
        await happened(portal, pod, "Unhealthy", XSS)
        async with portal.signed_in("anna") as anna:
            await _shows_how_it_is(anna, pod["metadata"]["name"])
            await _every_tab_is_there_and_inert(anna)
            await _compares_before_it_changes(portal, anna)
            await _goes_back_and_forward(portal, anna)
            await _stops_starts_and_shares(portal, anna)
            await _is_told_what_happens(portal, anna)
        async with portal.signed_in("vera") as vera:
            await _viewers_look_only(portal, vera)
        async with portal.signed_in("ben") as ben:
            assert (await ben.get(APP)).status == 403
            assert (await ben.get(f"{APP}/live")).status == 403
        async with portal.signed_in("anna") as anna:
            await _is_removed_by_its_name(portal, anna)


async def _shows_how_it_is(anna: Browser, pod: str) -> None:
    page = await anna.get(APP)
    says = page.says()
    assert page.status == 200, says
    for text in (
        "notebook",
        "Running",
        "revision 2",
        pod,
        "It runs.",
        "Open it in your browser.",
        "notebook.lidar.localhost",
    ):
        assert text in says, text
    assert "A check of its health failed" in says
    assert "its log" in says
    assert "skerry releases upgrade notebook -n lidar --set access=members" in says
    for label in ("Only who launched it", "Who may change things in the project", "Everybody who has the address"):
        assert label in says, label


async def _every_tab_is_there_and_inert(anna: Browser) -> None:
    for tab in ("", "/logs", "/terminal", "/usage", "/values", "/history", "/history?of=2", "/remove"):
        page = await anna.get(APP + tab)
        assert (page.status, inline_in(page.text)) == (200, []), tab
        assert XSS not in page.text, tab
    policy = (await anna.get(f"{APP}/terminal")).headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self' 'unsafe-inline'" in policy, "of xterm.js alone"
    assert "unsafe" not in (await anna.get(f"{APP}/logs")).headers["Content-Security-Policy"]
    assert "greeting" in (await anna.get(f"{APP}/history?of=2")).says()
    # The test cluster runs no containers, and says so by name.
    files = await anna.get(f"{APP}/files")
    assert (files.status, "503" in files.says()) == (200, True)
    for odd in ("/history?of=²", "/history?of=" + "9" * 5000, "/terminal/shell"):
        assert (await anna.get(APP + odd)).status in (200, 404), odd


async def _form(someone: Browser, path: str) -> dict[str, str]:
    page = await someone.get(path)
    return {"form": re.findall(r'name="form" value="([^"]+)"', page.text)[0], **_generation(page)}


def _generation(page: Answer) -> dict[str, str]:
    found = re.findall(r'name="generation" value="(\d+)"', page.text)
    return {"generation": found[0]} if found else {}


async def _compares_before_it_changes(portal: RunningPortal, anna: Browser) -> None:
    form = await _form(anna, f"{APP}/values")
    compared = await anna.post(f"{APP}/values/compare", **form, values="greeting: hello\nreplicas: 2\n")
    assert "+ replicas: 2" in compared.says()
    assert "- access: members" in compared.says()
    for wrong, why in (
        ("a: [", "line"),
        ("- a\n", "name: value"),
        ("1: x", "name: value"),
        ("a: &x 1\nb: *x", "aliases"),
        ("a: 2026-01-01", "name: value"),
    ):
        refused = await anna.post(f"{APP}/values", **form, values=wrong)
        assert why in refused.says(), wrong
        assert "It is being changed" not in refused.says()
    await anna.post(f"{APP}/values", **form, values="access: members\nreplicas: 2\n", version="^1")
    spec = (await portal.running.admin.get(RELEASES, "notebook", "lidar"))["spec"]
    assert spec["values"] == {"access": "members", "replicas": 2}
    assert spec["chart"]["version"] == "^1"
    assert "Somebody else changed it" in (await anna.post(f"{APP}/values", **{**form, "generation": "²"})).says()
    late = await anna.post(f"{APP}/values", **form, values="replicas: 9\n")
    assert "Somebody else changed it meanwhile" in late.says()
    assert (await portal.running.admin.get(RELEASES, "notebook", "lidar"))["spec"]["values"]["replicas"] == 2


async def _goes_back_and_forward(portal: RunningPortal, anna: Browser) -> None:
    form = await _form(anna, f"{APP}/history")
    assert (await anna.post(f"{APP}/history/back", **form, revision="1")).status == 303
    assert (await portal.running.admin.get(RELEASES, "notebook", "lidar"))["spec"]["rollbackTo"] == 1
    assert "taken back to revision 1" in (await anna.get(f"{APP}/history")).says()
    await anna.post(f"{APP}/history/forward", **form)
    assert "rollbackTo" not in (await portal.running.admin.get(RELEASES, "notebook", "lidar"))["spec"]


async def _stops_starts_and_shares(portal: RunningPortal, anna: Browser) -> None:
    form = await _form(anna, APP)
    for what, field, value in (("stop", "stopped", True), ("start", "stopped", False), ("suspend", "suspended", True),
                               ("resume", "suspended", False)):  # fmt: skip
        assert (await anna.post(f"{APP}/do/{what}", **form)).location == APP
        assert (await portal.running.admin.get(RELEASES, "notebook", "lidar"))["spec"][field] is value
    assert (await anna.post(f"{APP}/do/explode", **form)).status == 400
    assert (await anna.post(f"{APP}/do/stop", form="guessed")).status == 400
    assert (await anna.post(f"{APP}/share", **form, access="the-world")).status == 400
    await anna.post(f"{APP}/share", **form, access="everyone")
    values = (await portal.running.admin.get(RELEASES, "notebook", "lidar"))["spec"]["values"]
    assert values == {"access": "everyone", "replicas": 2}
    await _odd_values_break_no_page(portal, anna)
    (pod,) = await pods_of(portal, "lidar", "notebook")
    assert (await anna.post(f"{APP}/restart", **form, pod="another")).status == 400
    await anna.post(f"{APP}/restart", **form, pod=pod["metadata"]["name"])
    await until(lambda: _has_another(portal, pod["metadata"]["name"]), "another pod")


async def _odd_values_break_no_page(portal: RunningPortal, anna: Browser) -> None:
    """Charts call anything `access`, and whoever writes a status writes addresses."""
    admin = portal.running.admin
    release = await admin.patch(RELEASES, "notebook", {"spec": {"values": {"access": {"by": "password"}}}}, "lidar")
    status = release["status"]
    await admin.update(RELEASES, {**release, "status": {**status, "url": "javascript:alert(1)"}}, "status")
    page = await anna.get(APP)
    assert (page.status, "javascript:" in page.text, "Who may open it" in page.says()) == (200, False, False)
    release = await admin.patch(RELEASES, "notebook", {"spec": {"values": {"access": None}}}, "lidar")
    await admin.update(RELEASES, {**release, "status": status}, "status")


async def _has_another(portal: RunningPortal, gone: str) -> bool:
    return [one["metadata"]["name"] for one in await pods_of(portal, "lidar", "notebook")] not in ([], [gone])


async def _is_told_what_happens(portal: RunningPortal, anna: Browser) -> None:
    """The first event shows how it is; the next one comes when it changes."""
    async with anna.stream(f"{APP}/live") as lines:
        heard = await _next_show(lines)
        assert "Running" in heard
        patch = {"spec": {"stopped": True}}
        await portal.running.admin.patch(RELEASES, "notebook", patch, "lidar")
        while 'action="/portal/apps/lidar/notebook/do/start"' not in heard:
            heard = await _next_show(lines)


async def _next_show(lines: object) -> str:
    collected: list[str] = []
    async for line in lines:  # type: ignore[attr-defined]
        if not line and collected:
            return "\n".join(collected)
        if line.startswith("data: "):
            collected.append(line.removeprefix("data: "))
    raise AssertionError(f"the stream ended after {collected}")


async def _viewers_look_only(portal: RunningPortal, vera: Browser) -> None:
    page = await vera.get(APP)
    assert page.status == 200
    assert "Remove it" not in page.says()
    assert f"{APP}/terminal" not in page.text
    form = await _form(vera, APP)
    assert (await vera.post(f"{APP}/do/start", **form)).status == 403
    assert (await vera.post(f"{APP}/remove", **form, name="notebook")).status == 403
    assert "which you may not read" in (await vera.get(f"{APP}/history?of=2")).says()
    assert (await portal.running.admin.get(RELEASES, "notebook", "lidar"))["spec"]["stopped"] is True


async def _is_removed_by_its_name(portal: RunningPortal, anna: Browser) -> None:
    form = await _form(anna, f"{APP}/remove")
    assert "notebook-data" in (await anna.get(f"{APP}/remove")).says()
    assert (await anna.post(f"{APP}/remove", **form, name="other")).status == 400
    assert (await anna.post(f"{APP}/remove", **form, name="notebook")).location == "/portal/projects/lidar"
    assert (await anna.get(APP)).status == 404
