"""What many conformance tests do with a kind ("should support ... API operations"): all verbs, in their order."""

from __future__ import annotations

from typing import Any

from tests.component.conformance.e2e_client import E2eClient


def exercise(
    api: E2eClient, group: str, version: str, plural: str, obj: Any, ns: str = "", status: bool = False
) -> None:
    """Discovery, create (three), get, list, watch, patch, update, delete, deletecollection. `obj` has a
    generateName and the labels its own test knows it by."""
    root = f"/apis/{group}/{version}"
    assert group in [one["name"] for one in api.get("/apis")["groups"]]
    assert version in [one["version"] for one in api.get(f"/apis/{group}")["versions"]]
    names = [one["name"] for one in api.get(root)["resources"]]
    assert plural in names
    assert not status or f"{plural}/status" in names
    path = f"{root}/namespaces/{ns}/{plural}" if ns else f"{root}/{plural}"
    chosen = "labelSelector=" + ",".join(f"{key}={value}" for key, value in obj["metadata"]["labels"].items())
    made = [api.create(path, obj) for _ in range(3)]
    first = made[0]["metadata"]
    one = f"{path}/{first['name']}"
    assert api.get(one)["metadata"]["uid"] == first["uid"]
    assert len(api.items(f"{path}?{chosen}")) == 3
    if ns:
        assert len(api.items(f"{root}/{plural}?{chosen}")) == 3
    version_before = api.get(f"{path}?{chosen}")["metadata"]["resourceVersion"]
    with api.watch(f"{path}?{chosen}", resourceVersion=version_before) as watch:
        patched = api.patch(one, {"metadata": {"annotations": {"patched": "true"}}})
        assert patched["metadata"]["annotations"]["patched"] == "true"
        updated = api.change(one, lambda now: now["metadata"]["annotations"].update(updated="true"))
        assert updated["metadata"]["annotations"]["updated"] == "true"
        watch.until("MODIFIED", lambda seen: seen["metadata"]["annotations"].get("patched") == "true")
        watch.until("MODIFIED", lambda seen: seen["metadata"]["annotations"].get("updated") == "true")
        if status:
            _exercise_status(api, one)
        api.delete(one)
        api.until_gone(one)
        watch.until("DELETED")
        assert len(api.items(f"{path}?{chosen}")) == 2
        api.delete(f"{path}?{chosen}")
        api.until_empty(f"{path}?{chosen}")
        watch.until("DELETED")
        watch.until("DELETED")


def _exercise_status(api: E2eClient, one: str) -> None:
    patch = {"metadata": {"annotations": {"patchedstatus": "true"}}}
    assert api.patch(f"{one}/status", patch)["metadata"]["annotations"]["patchedstatus"] == "true"
    assert api.get(f"{one}/status")["metadata"]["annotations"]["patchedstatus"] == "true"
    api.change(f"{one}/status", lambda now: None)
