"""An app from inside on the whole engine, in a real browser: a shell, its log, files up and down, what it uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skerry.platform.identity.login.welcome import COOKIE
from tests.support.images import busybox_archive
from tests.support.portal import chromium, visit
from tests.support.program import Program
from tests.support.signed_in import signed_in
from tests.support.waiting import LIMIT, WITHIN, eventually

USER, TOKEN = "anna", "sky_a-browser-of-anna"
PROJECT = """
apiVersion: skerry.dev/v1alpha1
kind: Project
metadata: {name: lidar}
spec: {tier: free, owner: anna}
---
apiVersion: skerry.dev/v1alpha1
kind: User
metadata: {name: anna}
spec: {username: anna}
"""
APP = """
apiVersion: skerry.dev/v1alpha1
kind: Release
metadata: {name: notebook, namespace: lidar}
spec: {chart: {catalog: none, name: web}, suspended: true}
---
apiVersion: v1
kind: Pod
metadata: {name: notebook-0, namespace: lidar, labels: {skerry.dev/release: notebook}}
spec:
  terminationGracePeriodSeconds: 1
  securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: main
    image: busybox:test
    workingDir: /work
    command: [sh, -c, "echo it began; echo '<b>bold</b>'; n=0; while sleep 1; do n=$((n+1)); echo line $n; done"]
    resources: {requests: {cpu: 50m, memory: 32Mi}, limits: {cpu: 200m, memory: 64Mi}}
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
    volumeMounts: [{name: work, mountPath: /work}]
  volumes: [{name: work, emptyDir: {}}]
"""


async def test_an_app_from_inside(fresh_program: Program, tmp_path: Path) -> None:
    program = fresh_program
    program.platform = True
    program.up()
    program.skerry("image", "load", str(busybox_archive(tmp_path)))
    program.apply(PROJECT)
    program.kubectl("wait", "--for=condition=Ready", "project/lidar", WITHIN)
    signed_in(program, USER, TOKEN, name="browser-anna")
    eventually(lambda: program.kubectl("apply", "-f", "-", stdin=APP, check=False).returncode == 0, "the app")
    program.kubectl("wait", "-n", "lidar", "--for=condition=Ready", "pod/notebook-0", WITHIN)
    url = program.get("-n", "kube-public", "configmap/skerry-platform")["data"]["url"]
    async with chromium() as made:
        context = await made.new_context(ignore_https_errors=True, base_url=url, accept_downloads=True)
        cookie = {"name": COOKIE, "value": TOKEN, "url": url, "secure": True, "httpOnly": True, "sameSite": "Lax"}
        await context.add_cookies([cookie])
        page = await context.new_page()
        page.set_default_timeout(LIMIT * 1000)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        await _its_log_goes_on(page)
        await _files_go_in_and_come_out(page, tmp_path)
        await _what_it_uses_is_drawn(page)
        await _a_shell_is_a_shell_until_access_ends(page, program)
        assert wrong == []


async def _its_log_goes_on(page: Any) -> None:
    await visit(page, "/portal/apps/lidar/notebook/logs")
    await page.get_by_text("it began").wait_for()
    await page.get_by_text("<b>bold</b>").wait_for()
    seen = await page.locator("#log .row").count()
    await page.locator("#log .row").nth(seen).wait_for()
    await page.get_by_role("searchbox").fill("BEGAN")
    await page.keyboard.press("Enter")
    await page.locator("#log mark").wait_for()
    assert await page.locator("#log .row").count() == 1


async def _files_go_in_and_come_out(page: Any, folder: Path) -> None:
    (folder / "measured ü.csv").write_bytes(b"1,2\n" * 300_000)
    await visit(page, "/portal/apps/lidar/notebook/files")
    await page.get_by_text("This folder is empty").wait_for()
    await page.locator("#upload-files").set_input_files(folder / "measured ü.csv")
    link = page.get_by_role("link", name="Download measured ü.csv")
    await link.wait_for()
    async with page.expect_download() as coming:
        await link.click()
    download = await coming.value
    assert download.suggested_filename == "measured ü.csv"
    assert Path(await download.path()).read_bytes() == b"1,2\n" * 300_000
    await visit(page, "/portal/apps/lidar/notebook/files?path=/etc/shadow-of-nothing")
    await page.get_by_role("alert").wait_for()


async def _a_shell_is_a_shell_until_access_ends(page: Any, program: Program) -> None:
    await visit(page, "/portal/apps/lidar/notebook/terminal")
    await page.get_by_text("Connected.").wait_for()
    await page.keyboard.type("echo sum-$((20+3)); stty size; ls\n")
    await page.locator(".xterm-rows").get_by_text("sum-23").wait_for()
    await page.locator(".xterm-rows").get_by_text("measured").wait_for()
    await page.keyboard.press("Control+F6")
    assert await page.evaluate("document.activeElement.matches('.command button')"), "out by keyboard"
    program.kubectl("delete", "session/browser-anna")
    await page.get_by_text("the session is over").wait_for()


async def _what_it_uses_is_drawn(page: Any) -> None:
    await visit(page, "/portal/apps/lidar/notebook/usage")
    await page.locator("#usage-pods td").first.wait_for()
    assert await page.locator("#usage-pods td").first.text_content() == "notebook-0"
    await page.locator("#cpu-chart canvas").wait_for()
    await page.locator("#memory-now", has_text="may use 64 MiB").wait_for()
