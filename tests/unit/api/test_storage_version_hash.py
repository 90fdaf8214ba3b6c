"""`storageVersionHash` of discovery: what its objects are stored as, the same wherever they are shown."""

from __future__ import annotations

from typing import Any

from tests.support.api import RunningApi
from tests.unit.api.raw_http import send


async def hashes(api: RunningApi, path: str) -> dict[str, Any]:
    listed = (await send(api, "GET", path)).json["resources"]
    return {each["name"]: each.get("storageVersionHash") for each in listed}


async def test_is_as_kubernetes_computes_it(api: RunningApi) -> None:
    core = await hashes(api, "/api/v1")
    assert core["pods"] == "xPOwRZ+Yhw8="
    assert core["configmaps"] == "qFsyl6wFWjQ="
    assert (await hashes(api, "/apis/apps/v1"))["deployments"] == "8aSe+NMegvE="


async def test_is_one_for_all_versions_and_groups(api: RunningApi) -> None:
    old, new = await hashes(api, "/apis/autoscaling/v1"), await hashes(api, "/apis/autoscaling/v2")
    assert old["horizontalpodautoscalers"] == new["horizontalpodautoscalers"] is not None
    core, events = await hashes(api, "/api/v1"), await hashes(api, "/apis/events.k8s.io/v1")
    assert core["events"] == events["events"] is not None


async def test_what_is_not_stored_has_none(api: RunningApi) -> None:
    core = await hashes(api, "/api/v1")
    assert [core[name] for name in ("bindings", "componentstatuses", "pods/status")] == [None, None, None]
    assert set((await hashes(api, "/apis/authorization.k8s.io/v1")).values()) == {None}
