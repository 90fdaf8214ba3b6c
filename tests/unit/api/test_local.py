"""The verbs, through the in-process client: what is stored, what is refused, and in which words."""

from __future__ import annotations

import pytest

from skerry.kube.client import Selection
from skerry.kube.errors import AlreadyExists, Conflict, NotFound
from skerry.kube.resources import CONFIG_MAPS, NAMESPACES, PODS, SERVICES
from tests.support.api import RunningApi


def config_map(name: str, **labels: str) -> dict:
    return {"metadata": {"name": name, "labels": labels}, "data": {"key": "value"}}


async def test_what_is_created_can_be_read(api: RunningApi) -> None:
    created = await api.client.create(CONFIG_MAPS, config_map("a"), "default")
    assert created["metadata"]["uid"]
    assert created["metadata"]["namespace"] == "default"
    assert await api.client.get(CONFIG_MAPS, "a", "default") == created


async def test_a_name_is_taken_once(api: RunningApi) -> None:
    await api.client.create(CONFIG_MAPS, config_map("a"), "default")
    with pytest.raises(AlreadyExists, match='configmaps "a" already exists'):
        await api.client.create(CONFIG_MAPS, config_map("a"), "default")


async def test_names_are_generated(api: RunningApi) -> None:
    made = [await api.client.create(CONFIG_MAPS, {"metadata": {"generateName": "cm-"}}, "default") for _ in range(3)]
    names = {each["metadata"]["name"] for each in made}
    assert len(names) == 3
    assert all(name.startswith("cm-") and len(name) == 8 for name in names)


async def test_an_update_of_an_old_state_conflicts(api: RunningApi) -> None:
    old = await api.client.create(CONFIG_MAPS, config_map("a"), "default")
    await api.client.update(CONFIG_MAPS, {**old, "data": {"key": "other"}})
    with pytest.raises(Conflict, match="please apply your changes to the latest version"):
        await api.client.update(CONFIG_MAPS, {**old, "data": {"key": "third"}})


async def test_an_update_that_changes_nothing_writes_nothing(api: RunningApi) -> None:
    created = await api.client.create(CONFIG_MAPS, config_map("a"), "default")
    updated = await api.client.update(CONFIG_MAPS, created)
    assert updated["metadata"]["resourceVersion"] == created["metadata"]["resourceVersion"]


async def test_patches(api: RunningApi) -> None:
    await api.client.create(CONFIG_MAPS, config_map("a"), "default")
    patched = await api.client.patch(CONFIG_MAPS, "a", {"data": {"more": "x", "key": None}}, "default")
    assert patched["data"] == {"more": "x"}
    patched = await api.client.patch(
        CONFIG_MAPS, "a", [{"op": "replace", "path": "/data/more", "value": "y"}], "default", kind="json"
    )
    assert patched["data"] == {"more": "y"}


async def test_deleted_is_gone(api: RunningApi) -> None:
    await api.client.create(CONFIG_MAPS, config_map("a"), "default")
    answer = await api.client.delete(CONFIG_MAPS, "a", "default")
    assert answer["status"] == "Success"
    with pytest.raises(NotFound, match='configmaps "a" not found'):
        await api.client.get(CONFIG_MAPS, "a", "default")


async def test_lists_select_by_label_and_field(api: RunningApi) -> None:
    for name in ("a", "b", "c"):
        await api.client.create(CONFIG_MAPS, config_map(name, app=name), "default")
    labelled = await api.client.list(CONFIG_MAPS, "default", Selection(label_selector="app in (a,b)"))
    named = await api.client.list(CONFIG_MAPS, "default", Selection(field_selector="metadata.name=c"))
    assert [each["metadata"]["name"] for each in labelled.items] == ["a", "b"]
    assert [each["metadata"]["name"] for each in named.items] == ["c"]


async def test_chunks_show_one_moment(api: RunningApi) -> None:
    for number in range(5):
        await api.client.create(CONFIG_MAPS, config_map(f"cm-{number}"), "default")
    first = await api.client.list(CONFIG_MAPS, "default", limit=2)
    await api.client.create(CONFIG_MAPS, config_map("cm-3a"), "default")
    await api.client.delete(CONFIG_MAPS, "cm-4", "default")
    rest = await api.client.list(CONFIG_MAPS, "default", limit=10, next_token=first.next_token)
    assert [each["metadata"]["name"] for each in first.items] == ["cm-0", "cm-1"]
    assert [each["metadata"]["name"] for each in rest.items] == ["cm-2", "cm-3", "cm-4"]
    assert rest.resource_version == first.resource_version
    assert not rest.next_token


async def test_a_watch_shows_what_enters_and_leaves_its_selection(api: RunningApi) -> None:
    listed = await api.client.list(CONFIG_MAPS, "default")
    watching = api.client.watch(
        CONFIG_MAPS, "default", Selection(label_selector="app=x"), resource_version=listed.resource_version
    )
    async with watching as events:
        created = await api.client.create(CONFIG_MAPS, config_map("a", app="other"), "default")
        for value in ("x", "x", "other"):
            patch = {"metadata": {"labels": {"app": value}}, "data": {"n": str(value)}}
            await api.client.patch(CONFIG_MAPS, "a", patch, "default")
        await api.client.patch(CONFIG_MAPS, "a", {"metadata": {"labels": {"app": "x"}}}, "default")
        await api.client.delete(CONFIG_MAPS, "a", "default")
        seen = [await anext(events) for _ in range(4)]
    assert [event.type for event in seen] == ["ADDED", "DELETED", "ADDED", "DELETED"]
    assert seen[1].object["metadata"]["labels"] == {"app": "x"}
    assert int(seen[1].object["metadata"]["resourceVersion"]) > int(seen[0].object["metadata"]["resourceVersion"])
    assert seen[0].object["metadata"]["uid"] == created["metadata"]["uid"]


async def test_namespaces_must_exist(api: RunningApi) -> None:
    with pytest.raises(NotFound, match='namespaces "nowhere" not found'):
        await api.client.create(CONFIG_MAPS, config_map("a"), "nowhere")


async def test_a_namespace_waits_for_its_finalizer(api: RunningApi) -> None:
    await api.client.create(NAMESPACES, {"metadata": {"name": "ns"}})
    terminating = await api.client.delete(NAMESPACES, "ns")
    assert terminating["status"]["phase"] == "Terminating"
    with pytest.raises(Exception, match="because it is being terminated"):
        await api.client.create(CONFIG_MAPS, config_map("a"), "ns")
    await api.client.update(NAMESPACES, {**terminating, "spec": {"finalizers": []}}, "finalize")
    with pytest.raises(NotFound):
        await api.client.get(NAMESPACES, "ns")


async def test_services_get_addresses(api: RunningApi) -> None:
    ports = [{"port": 80}]
    made = await api.client.create(SERVICES, {"metadata": {"name": "a"}, "spec": {"ports": ports}}, "default")
    assert made["spec"]["clusterIP"].startswith("10.112.")
    assert made["spec"]["clusterIPs"] == [made["spec"]["clusterIP"]]


async def test_a_running_pod_is_given_its_grace(api: RunningApi) -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"nodeName": "node", "containers": [{"name": "c", "image": "i"}]}}
    await api.client.create(PODS, pod, "default")
    marked = await api.client.delete(PODS, "p", "default", {"gracePeriodSeconds": 7})
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 7
    await api.client.delete(PODS, "p", "default", {"gracePeriodSeconds": 0})
    with pytest.raises(NotFound):
        await api.client.get(PODS, "p", "default")


async def test_defaults_that_repeat_the_name_know_a_generated_one(api: RunningApi) -> None:
    made = await api.client.create(NAMESPACES, {"metadata": {"generateName": "lab-"}})
    assert made["metadata"]["labels"]["kubernetes.io/metadata.name"] == made["metadata"]["name"]
