"""Charts of strangers: whatever they say is shown as text, and reaches nobody who may not read them; nobody launches
where the cluster does not allow it."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from skerry.kube.resources import CONFIG_MAPS
from skerry.platform.base.capability import Capability
from skerry.platform.catalog.types import ARCHIVE_KEY, CATALOG, CATALOG_ENTRIES, CATALOG_ENTRY
from skerry.platform.releases.types import RELEASES
from tests.component.portal.test_frame import inline_in
from tests.support.browser import Answer, Browser
from tests.support.portal import WITH_STILL_RELEASES, RunningPortal, running_portal
from tests.support.program import program_path
from tests.support.waiting import until

XSS = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{77*77}}${77*77}"
SECRET = "what-only-the-machine-knows"
SHOP = "/portal/launch/lidar/evil.web"
_BY_HAND = Capability("catalog", (CATALOG, CATALOG_ENTRY), ())


async def test_charts_of_strangers(tmp_path: Path) -> None:
    capabilities = (*(one for one in WITH_STILL_RELEASES if one.name != "catalog"), _BY_HAND)
    async with running_portal(capabilities=capabilities) as portal:
        await portal.project("lidar", "anna")
        await portal.project("glacier", "ben")
        secret = tmp_path / "machine.json"
        secret.write_text(json.dumps({"enum": [SECRET]}))
        await _add_chart(portal, _packed(tmp_path, secret))
        await portal.operator("olga")
        async with portal.signed_in("olga") as olga, portal.signed_in("ben") as ben:
            await until(lambda: _is_listed(olga), "the chart is listed")
            await _is_text_everywhere(olga)
            assert "evil" not in (await ben.get("/portal/catalogue/")).text
            for path in ("/portal/catalogue/lidar/evil.web", SHOP):
                assert (await ben.get(path)).status == 403
            await _launches_nothing_elsewhere(portal, ben)
            await _cannot_read_the_machine(olga)
            await _is_not_told_what_runs_elsewhere(portal, olga)


def _packed(folder: Path, secret: Path) -> bytes:
    """A chart that would like to see more than its values, e.g. `secret`."""
    chart = folder / "web"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    (chart / "values.yaml").write_text("size: 1\n")
    schema = {"properties": {"leak": {"$ref": f"file://{secret}"}}}
    (chart / "values.schema.json").write_text(json.dumps(schema))
    reaching = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n"
        '  file: {{ .Files.Get "/etc/passwd" | quote }}\n  up: {{ .Files.Get "../../etc/passwd" | quote }}\n'
        '  host: {{ getHostByName "localhost" | quote }}\n'
        '  found: {{ (lookup "v1" "Secret" "" "") | toJson | quote }}\n'
        '{{ if or (.Files.Get "/etc/passwd") (getHostByName "localhost") (lookup "v1" "Secret" "" "") }}'
        '{{ fail "it sees the machine" }}{{ end }}'
        '{{ if eq (int .Values.size) 2 }}{{ fail "it was rendered" }}{{ end }}\n'
    )
    (chart / "templates/reach.yaml").write_text(reaching)
    subprocess.run([program_path("helm"), "package", str(chart), "-d", str(folder)], check=True, capture_output=True)
    return (folder / "web-1.0.0.tgz").read_bytes()


async def _add_chart(portal: RunningPortal, archive: bytes) -> None:
    admin = portal.running.admin
    properties = {
        XSS: {"type": "string", "title": XSS, "description": XSS, "default": XSS},
        "one": {"enum": [XSS, "b"], "title": XSS},
        "many": {"type": "object", "title": XSS, "properties": {XSS: {"type": "boolean", "title": XSS}}},
    }
    files = {"values.schema.json": json.dumps({"properties": properties}), "values.yaml": "size: 1", "README.md": XSS}
    binary = {ARCHIVE_KEY: base64.b64encode(archive).decode()}
    await admin.create(CONFIG_MAPS, {"metadata": {"name": "chart-x"}, "data": files, "binaryData": binary}, "lidar")
    spec: dict[str, Any] = {
        "catalog": "evil", "name": "web", "displayName": XSS, "description": XSS, "category": XSS, "keywords": [XSS],
        "home": "javascript:alert(1)", "icon": "data:text/html,<script>alert(1)</script>",
        "maintainers": [{"name": XSS}], "versions": [{"version": "1.0.0", "archive": "chart-x", "appVersion": XSS}],
    }  # fmt: skip
    await admin.create(CATALOG_ENTRIES, {"metadata": {"name": "evil.web"}, "spec": spec}, "lidar")


async def _is_listed(olga: Browser) -> bool:
    return "evil" in (await olga.get("/portal/catalogue/")).text


async def _is_text_everywhere(olga: Browser) -> None:
    for path in ("/portal/catalogue/", "/portal/catalogue/lidar/evil.web", SHOP, f"/portal/catalogue/?q={XSS}"):
        page = await olga.get(path)
        assert (page.status, inline_in(page.text)) == (200, []), path
        assert "alert(1)" in page.text
        assert "javascript:" not in page.text
        assert "data:text" not in page.text
        assert "5929" not in page.text


async def _post(someone: Browser, path: str, **fields: str) -> Answer:
    page = await someone.get("/portal/")
    form = re.findall(r'name="form" value="([^"]+)"', page.text)[0]
    return await someone.post(path, **{"form": form, **fields})


async def _launches_nothing_elsewhere(portal: RunningPortal, ben: Browser) -> None:
    assert (await _post(ben, SHOP, name="web", namespace="glacier")).status == 403
    assert (await ben.get("/portal/apps/lidar/web/progress")).status == 403
    assert (await portal.running.admin.list(RELEASES)).items == []


async def _cannot_read_the_machine(olga: Browser) -> None:
    """Nothing of the machine, the cluster and the network is there while a chart is rendered."""
    judged = await _post(olga, f"{SHOP}/check", name="web", namespace="lidar", extra="size: 1")
    assert (judged.status, "it sees the machine" in judged.says()) == (200, False)
    judged = await _post(olga, f"{SHOP}/check", name="web", namespace="lidar", extra="size: 2")
    assert "it was rendered" in judged.says()
    judged = await _post(olga, f"{SHOP}/check", name="web", namespace="lidar", extra="leak: 1")
    assert (judged.status, SECRET in judged.text) == (200, False)
    refused = await _post(olga, SHOP, name="web", namespace="default")
    assert (refused.status, "You may not launch anything there." in refused.says()) == (422, True)


async def _is_not_told_what_runs_elsewhere(portal: RunningPortal, olga: Browser) -> None:
    spec = {"chart": {"catalog": "evil", "name": "web"}}
    await portal.running.admin.create(RELEASES, {"metadata": {"name": "theirs"}, "spec": spec}, "default")
    await until(lambda: _is_known(olga), "the release is known")
    judged = await _post(olga, f"{SHOP}/check", name="theirs", namespace="default")
    assert "You may not launch anything there." in judged.says()
    assert "runs in this project already" not in judged.says()


async def _is_known(olga: Browser) -> bool:
    return "Apps 1 of 1 are well." in (await olga.get("/portal/operators/")).says()
