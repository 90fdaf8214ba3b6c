"""Watches over HTTP: the stream's form, its beginning, its bookmarks and its end."""

from __future__ import annotations

import asyncio
import re

import pytest

from skerry.engine.api.verbs import watching
from skerry.engine.store.limits import Limits
from skerry.engine.store.memory import MemoryStore
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS
from tests.support.api import RunningApi, running_api
from tests.unit.api.raw_http import send
from tests.unit.api.watches import watch


async def make(api: RunningApi, name: str, **labels: str) -> Obj:
    return await api.client.create(CONFIG_MAPS, {"metadata": {"name": name, "labels": labels}}, "default")


async def test_it_begins_with_what_there_is(api: RunningApi) -> None:
    made = await make(api, "a")
    async with watch(api, "") as events:
        assert await events.next() == {"type": "ADDED", "object": made}
        changed = await api.client.update(CONFIG_MAPS, {**made, "data": {"k": "v"}})
        assert await events.next() == {"type": "MODIFIED", "object": changed}
        await api.client.delete(CONFIG_MAPS, "a", "default")
        deleted = await events.next()
        assert deleted["type"] == "DELETED"
        assert int(deleted["object"]["metadata"]["resourceVersion"]) > int(changed["metadata"]["resourceVersion"])


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/api/v1/watch/namespaces/default/configmaps?labelSelector=mine&timeoutSeconds=1", [b"a", b"b"]),
        ("/api/v1/watch/configmaps?labelSelector=mine&timeoutSeconds=1", [b"a", b"b"]),
        ("/api/v1/watch/namespaces/default/configmaps/b?timeoutSeconds=1", [b"b"]),
    ],
)
async def test_paths_that_say_watch(api: RunningApi, path: str, names: list[bytes]) -> None:
    """As Ruby's kubeclient writes them, and with it fluentd's filter for metadata."""
    for name in "ab":
        await make(api, name, mine="yes")
    answer = await send(api, "GET", path)
    assert answer.code == 200
    assert re.findall(rb'"type":"(\w+)".*?"name":"(\w+)"', answer.body) == [(b"ADDED", name) for name in names]
    assert (await send(api, "POST", path, {})).code == 404


async def test_a_path_that_says_watch_of_a_group(api: RunningApi) -> None:
    answer = await send(api, "GET", "/apis/apps/v1/watch/namespaces/default/deployments?timeoutSeconds=1")
    assert (answer.code, answer.body) == (200, b"")
    assert (await send(api, "GET", "/apis/apps/v1/watch/nothing?timeoutSeconds=1")).code == 404


async def test_a_streaming_list_says_where_it_ends(api: RunningApi) -> None:
    await make(api, "a")
    query = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    async with watch(api, query) as events:
        assert (await events.next())["type"] == "ADDED"
        end = await events.next()
        assert end["type"] == "BOOKMARK"
        assert end["object"]["kind"] == "ConfigMap"
        assert end["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert end["object"]["metadata"]["resourceVersion"] == str(api.store.revision)


async def test_its_time_ends_it_with_a_bookmark(api: RunningApi) -> None:
    async with watch(api, "&timeoutSeconds=1&allowWatchBookmarks=true") as events:
        last = await events.next()
        assert (last["type"], last["object"]["metadata"]["resourceVersion"]) == ("BOOKMARK", str(api.store.revision))
        assert await events.next() is None


async def test_bookmarks_come_while_nothing_happens(api: RunningApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "BOOKMARK_EVERY", 0.05)
    async with watch(api, f"&resourceVersion={api.store.revision}&allowWatchBookmarks=true") as events:
        assert (await events.next())["type"] == "BOOKMARK"
        made = await make(api, "a")
        while (event := await events.next())["type"] == "BOOKMARK":
            assert int(event["object"]["metadata"]["resourceVersion"]) < int(made["metadata"]["resourceVersion"])
        assert event["type"] == "ADDED"


async def test_history_that_is_gone_is_an_error_event() -> None:
    async with running_api(store=MemoryStore(Limits(history_count=2))) as api:
        for name in "abcde":
            await make(api, name)
        async with watch(api, "&resourceVersion=1") as events:
            error = await events.next()
            assert error["type"] == "ERROR"
            assert (error["object"]["code"], error["object"]["reason"]) == (410, "Expired")
            assert await events.next() is None


async def test_tables_and_metadata_only(api: RunningApi) -> None:
    await make(api, "a")
    async with watch(api, "", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json") as events:
        table = (await events.next())["object"]
        assert (table["kind"], table["rows"][0]["cells"][0]) == ("Table", "a")
    async with watch(api, "", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io") as events:
        partial = (await events.next())["object"]
        assert (partial["kind"], partial["metadata"]["name"]) == ("PartialObjectMetadata", "a")


async def test_one_object_by_field_selector(api: RunningApi) -> None:
    await make(api, "a")
    async with watch(api, "&fieldSelector=metadata.name%3Db") as events:
        await make(api, "b")
        assert (await events.next())["object"]["metadata"]["name"] == "b"


async def test_a_client_that_goes_leaves_no_watch(api: RunningApi) -> None:
    async with watch(api, "&timeoutSeconds=60"):
        assert b"skerry_watches 1" in (await send(api, "GET", "/metrics")).body
    for _ in range(100):
        if b"skerry_watches 0" in (await send(api, "GET", "/metrics")).body:
            return
    pytest.fail("the watch is still there")


async def test_stopping_the_server_ends_watches_in_order(api: RunningApi) -> None:
    async with watch(api, "&timeoutSeconds=600&allowWatchBookmarks=true") as events:
        stopping = asyncio.create_task(api.server.stop())
        assert (await events.next())["type"] == "BOOKMARK"
        assert await events.next() is None
        await stopping


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    async with running_api(store=MemoryStore(Limits(watch_buffer=10))) as api:
        made = await api.client.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, "default")
        async with watch(api, f"&resourceVersion={made['metadata']['resourceVersion']}") as events:
            for number in range(60):
                data = {"n": str(number), "text": "x" * 500_000}
                await api.client.patch(CONFIG_MAPS, "a", {"data": data}, "default")
            seen = [await events.next() for _ in range(5)]
            assert seen[0]["type"] == "MODIFIED"
            while event := await events.next():
                last = event
            assert (last["type"], last["object"]["reason"]) == ("ERROR", "Expired")
