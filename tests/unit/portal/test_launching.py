"""What a launch costs, how it goes on, what charts may say and show."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from skerry.portal.launching import rendering
from skerry.portal.launching.cost import against, costs_of
from skerry.portal.launching.rendering import Rendered, Renderer, _complained
from skerry.portal.pages.catalogue import found
from skerry.portal.pages.progress import progress_of
from skerry.portal.web.markdown import as_html
from skerry.portal.web.pictures import picture_of
from skerry.portal.web.words import Words, share


def _container(**requests: str) -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": requests}} if requests else {"name": "c"}


def test_costs_are_what_admission_counts() -> None:
    pod = {"containers": [_container(cpu="250m", memory="1Gi"), _container()], "initContainers": [_container(cpu="1")]}
    sets = {"kind": "StatefulSet", "apiVersion": "apps/v1"}
    claim = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    objects = [
        {"kind": "Deployment", "apiVersion": "apps/v1", "spec": {"replicas": 2, "template": {"spec": pod}}},
        {**sets, "spec": {"replicas": 3, "volumeClaimTemplates": [claim], "template": {"spec": {"containers": []}}}},
        {"kind": "PersistentVolumeClaim", "apiVersion": "v1", **claim},
        {"kind": "Service", "apiVersion": "v1", "spec": {}},
    ]
    costs = costs_of(objects, {"cpu": "100m", "memory": "256Mi"})
    assert costs == {
        "requests.cpu": Decimal(2),
        "requests.memory": 2 * (1024 + 256) * Decimal(1024) ** 2,
        "requests.storage": 8 * Decimal(1024) ** 3,
        "pods": 5,
    }
    lines = against(costs, {"requests.cpu": {"used": "500m", "hard": "2"}, "pods": {"used": "1", "hard": "20"}})
    by_name = {one.resource: one for one in lines}
    assert (by_name["requests.cpu"].over, by_name["requests.cpu"].left) == (Decimal("0.5"), Decimal("1.5"))
    assert (by_name["pods"].over, by_name["requests.storage"].hard) == (0, None)


def _release(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web"}, "spec": {"chart": {"name": "web"}}, "status": status}


def _ready(status: str, reason: str, message: str) -> list[dict[str, str]]:
    return [{"type": "Ready", "status": status, "reason": reason, "message": message}]


def test_progress_is_told_from_the_release() -> None:
    new = progress_of({"metadata": {}, "spec": {}})
    assert [one.state for one in new.steps] == ["done", "now", "later", "later"]
    waits = progress_of(_release(phase="Pending", conditions=_ready("False", "ChartPending", "it is being fetched")))
    assert (waits.failed, waits.message) == (False, "it is being fetched")
    starts = progress_of(_release(phase="Installing", step="1 of 2 pods"))
    assert ([one.state for one in starts.steps], starts.message) == (["done", "done", "now", "later"], "1 of 2 pods")
    refused = progress_of(_release(phase="Pending", conditions=_ready("False", "ManifestsRefused", "privileged")))
    assert (refused.failed, refused.over, refused.steps[1].state, refused.message) == (
        True,
        True,
        "wrong",
        "privileged",
    )
    runs = progress_of(_release(phase="Deployed", url="https://web.lab.localhost"))
    assert (runs.over, runs.failed, runs.url) == (True, False, "https://web.lab.localhost")
    assert {one.state for one in runs.steps} == {"done"}
    assert progress_of(_release(phase="Deployed", url="javascript:alert(1)")).url == ""


def test_complaints_of_the_schema_are_found() -> None:
    said = _complained(
        "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n"
        "- at '/resources/cpu': 'abc' does not match pattern '^x$'\n- at '/a~1b': minimum: got -1, want 0\n"
    )
    assert [(one.path, one.what) for one in said.complaints] == [
        (("resources", "cpu"), "'abc' does not match pattern '^x$'"),
        (("a/b",), "minimum: got -1, want 0"),
    ]
    assert _complained("level=x\nError: parse error at (web/t.yaml:1)\n").failure == "parse error at (web/t.yaml:1)"


def test_charts_say_nothing_that_runs() -> None:
    html = as_html(
        "# Hello\n<script>alert(1)</script> <img src=x onerror=alert(1)>\n\n[x](javascript:alert(1)) "
        "![y](https://elsewhere.example/pixel.png) [z](https://ok.example) [d](data:text/html,x)\n"
    )
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert 'href="data:' not in html
    assert "<h3>Hello</h3>" in html
    assert '<a href="https://ok.example" rel="noopener noreferrer nofollow">' in html
    for icon in (
        "https://elsewhere.example/x.png",
        "data:text/html,<script>",
        'data:image/png;base64,x" onload="x',
        "",
    ):
        assert picture_of({"spec": {"icon": icon}}) == ""
    assert picture_of({"spec": {"icon": "data:image/svg+xml,%3Csvg/%3E"}})


def test_what_is_looked_for_is_found_by_name_first() -> None:
    def entry(name: str, **spec: Any) -> dict[str, Any]:
        return {"metadata": {"name": name, "namespace": "skerry-catalogs"}, "spec": {"name": name, **spec}}

    entries = [
        entry("web", description="a database of pages"),
        entry("postgresql", displayName="PostgreSQL", keywords=["database", "sql"]),
        entry("database-old", deprecated=True),
        entry("database"),
    ]
    assert [one["spec"]["name"] for one in found(entries, "database")] == [
        "database",
        "postgresql",
        "web",
        "database-old",
    ]
    assert [one["spec"]["name"] for one in found(entries, "SQL post")] == ["postgresql"]
    assert found(entries, "nothing") == []


def test_amounts_are_peoples() -> None:
    english, german = Words("en"), Words("de")
    assert english.amount("requests.cpu", "1500m") == "1.5"
    assert german.amount("requests.memory", "1536Mi") == "1,5 GiB"
    assert english.amount("requests.cpu", "odd") == "odd"
    assert (share("1", "4"), share("1", "0"), share("0", "0"), share("x", "1")) == (25, 100, 0, None)


async def test_what_was_rendered_is_remembered_where_it_is_not_much(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    async def rendered(_archive: bytes, name: str, *_: object) -> Rendered:
        ran.append(name)
        return Rendered(size=10 if name == "small" else 8 << 20)

    monkeypatch.setattr(rendering, "_rendered", rendered)
    renderer = Renderer()
    for name in ("small", "large", "small", "large"):
        await renderer.render(b"", name, "lidar", {})
    assert ran == ["small", "large", "large"]
    for number in range(100):
        await renderer.render(b"", "small", "lidar", {"number": number})
    assert len(renderer._known) == 64
