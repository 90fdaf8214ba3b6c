"""Watchers: what watches of config maps see."""

from __future__ import annotations

from typing import Any

from tests.component.conformance.e2e_client import E2eClient

LABEL = "watch-this-configmap"


def _config_map(name: str, label: str) -> Any:
    return {"metadata": {"name": name, "labels": {LABEL: label}}}


def _mutate(api: E2eClient, one: str, value: int) -> Any:
    current = api.get(one)
    return api.update(one, {**current, "data": {"mutation": str(value)}})


def test_observes_add_update_and_delete_notifications(api: E2eClient, ns: str) -> None:
    path = f"/api/v1/namespaces/{ns}/configmaps"
    a, b, both = (
        f"{path}?labelSelector={LABEL}={value}" for value in ("multiple-watchers-A", "multiple-watchers-B", "x")
    )
    both = f"{path}?labelSelector={LABEL}+in+(multiple-watchers-A,multiple-watchers-B)"
    with api.watch(a) as watch_a, api.watch(b) as watch_b, api.watch(both) as watch_ab:
        api.create(path, _config_map("e2e-a", "multiple-watchers-A"))
        for watch in (watch_a, watch_ab):
            assert watch.next()[0] == "ADDED"
        for value in (1, 2):
            _mutate(api, f"{path}/e2e-a", value)
            for watch in (watch_a, watch_ab):
                kind, obj = watch.next()
                assert (kind, obj["data"]["mutation"]) == ("MODIFIED", str(value))
        api.delete(f"{path}/e2e-a")
        for watch in (watch_a, watch_ab):
            assert watch.next()[0] == "DELETED"
        api.create(path, _config_map("e2e-b", "multiple-watchers-B"))
        for watch in (watch_b, watch_ab):
            assert watch.next()[0] == "ADDED"
        api.delete(f"{path}/e2e-b")
        for watch in (watch_b, watch_ab):
            assert watch.next()[0] == "DELETED"
        assert watch_a.is_silent()


def test_starts_from_a_specific_resource_version(api: E2eClient, ns: str) -> None:
    path = f"/api/v1/namespaces/{ns}/configmaps"
    api.create(path, _config_map("e2e", "from-resource-version"))
    first = _mutate(api, f"{path}/e2e", 1)
    _mutate(api, f"{path}/e2e", 2)
    api.delete(f"{path}/e2e")
    selector = f"{path}?labelSelector={LABEL}=from-resource-version"
    with api.watch(selector, resourceVersion=first["metadata"]["resourceVersion"]) as watch:
        kind, obj = watch.next()
        assert (kind, obj["data"]["mutation"]) == ("MODIFIED", "2")
        kind, obj = watch.next()
        assert (kind, obj["data"]["mutation"]) == ("DELETED", "2")


def test_restarts_from_the_last_resource_version_observed(api: E2eClient, ns: str) -> None:
    path = f"/api/v1/namespaces/{ns}/configmaps"
    selector = f"{path}?labelSelector={LABEL}=watch-closed-and-restarted"
    with api.watch(selector) as watch:
        api.create(path, _config_map("e2e", "watch-closed-and-restarted"))
        assert watch.next()[0] == "ADDED"
        _mutate(api, f"{path}/e2e", 1)
        kind, last = watch.next()
        assert kind == "MODIFIED"
    _mutate(api, f"{path}/e2e", 2)
    with api.watch(selector, resourceVersion=last["metadata"]["resourceVersion"]) as watch:
        api.delete(f"{path}/e2e")
        assert watch.next()[1]["data"]["mutation"] == "2"
        assert watch.next()[0] == "DELETED"


def test_observes_a_deletion_when_the_selector_matches_no_more(api: E2eClient, ns: str) -> None:
    path = f"/api/v1/namespaces/{ns}/configmaps"
    one = f"{path}/e2e"
    with api.watch(f"{path}?labelSelector={LABEL}=label-changed-and-restored") as watch:
        api.create(path, _config_map("e2e", "label-changed-and-restored"))
        _mutate(api, one, 1)
        api.update(one, {**api.get(one), "metadata": {"name": "e2e", "labels": {LABEL: "wrong-value"}}})
        assert [watch.next()[0] for _ in range(3)] == ["ADDED", "MODIFIED", "DELETED"]
        _mutate(api, one, 2)
        api.update(one, {**api.get(one), "metadata": {"name": "e2e", "labels": {LABEL: "label-changed-and-restored"}}})
        _mutate(api, one, 3)
        api.delete(one)
        seen = [watch.next() for _ in range(3)]
        assert [kind for kind, _ in seen] == ["ADDED", "MODIFIED", "DELETED"]
        assert [obj["data"]["mutation"] for _, obj in seen] == ["2", "3", "3"]


def test_concurrent_watches_see_the_same_order(api: E2eClient, ns: str) -> None:
    path = f"/api/v1/namespaces/{ns}/configmaps"
    start = api.get(path)["metadata"]["resourceVersion"]
    for number in range(10):
        api.create(path, _config_map(f"e2e-{number}", "order"))
        _mutate(api, f"{path}/e2e-{number}", number)
        if number % 2:
            api.delete(f"{path}/e2e-{number}")
    with api.watch(path, resourceVersion=start) as watch:
        seen = [watch.next()[1]["metadata"]["resourceVersion"] for _ in range(25)]
    for index in (0, 7, 19):
        with api.watch(path, resourceVersion=seen[index]) as watch:
            assert [watch.next()[1]["metadata"]["resourceVersion"] for _ in seen[index + 1 :]] == seen[index + 1 :]
