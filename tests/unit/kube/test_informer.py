"""The informer's cache follows lists and watches, tells handlers in order, and survives what breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from skerry.kube.errors import Expired, ServiceUnavailable, not_found
from skerry.kube.informer import Delta, Informer, Informers
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import CONFIG_MAPS, PODS
from tests.support.waiting import LIMIT, until

from .fake_client import FakeClient


def pod(name: str, revision: int, uid: str = "", node: str = "", namespace: str = "default") -> Obj:
    metadata = {"name": name, "namespace": namespace, "uid": uid or f"uid-{name}", "resourceVersion": str(revision)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"nodeName": node}}


@asynccontextmanager
async def running(informer: Informer) -> AsyncIterator[None]:
    task = asyncio.create_task(informer.run())
    try:
        await asyncio.wait_for(informer.synced.wait(), LIMIT)
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def seen(log: list[Delta]) -> list[tuple[str, str]]:
    words = {(True, False): "added", (False, False): "updated", (False, True): "deleted"}
    return [(words[(delta.old is None, delta.new is None)], name_of(delta.object)) for delta in log]


async def test_it_follows_list_and_watch() -> None:
    client = FakeClient()
    client.items = [pod("a", 1)]
    informer = Informer(client, PODS)
    log: list[Delta] = []
    informer.add_handler(log.append)
    async with running(informer):
        client.emit("ADDED", pod("b", 2))
        client.emit("MODIFIED", pod("a", 3))
        client.emit("BOOKMARK", {"metadata": {"resourceVersion": "7"}})
        client.emit("DELETED", pod("b", 8))
        await until(lambda: informer.revision == 8)
        assert seen(log) == [("added", "a"), ("added", "b"), ("updated", "a"), ("deleted", "b")]
        assert [name_of(obj) for obj in informer.list()] == ["a"]
        assert informer.get("b", "default") is None


async def test_a_late_handler_is_told_what_is_known() -> None:
    client = FakeClient()
    client.items = [pod("a", 1)]
    informer = Informer(client, PODS)
    async with running(informer):
        log: list[Delta] = []
        informer.add_handler(log.append)
        assert seen(log) == [("added", "a")]


async def test_a_relist_reports_only_differences() -> None:
    client = FakeClient()
    client.items = [pod("same", 1), pod("changed", 2), pod("gone", 3)]
    informer = Informer(client, PODS)
    log: list[Delta] = []
    async with running(informer):
        informer.add_handler(log.append)
        log.clear()
        client.items = [pod("same", 1), pod("changed", 9), pod("new", 10)]
        client.revision = 10
        client.break_watch(Expired("too old"))
        await until(lambda: informer.revision == 10)
    assert sorted(seen(log)) == [("added", "new"), ("deleted", "gone"), ("updated", "changed")]


async def test_a_replaced_object_is_a_deletion_and_an_addition() -> None:
    client = FakeClient()
    client.items = [pod("a", 1, uid="first")]
    informer = Informer(client, PODS)
    log: list[Delta] = []
    informer.add_handler(log.append)
    async with running(informer):
        client.emit("MODIFIED", pod("a", 5, uid="second"))
        await until(lambda: len(log) == 3)
    assert seen(log) == [("added", "a"), ("deleted", "a"), ("added", "a")]


async def test_failing_lists_are_tried_again() -> None:
    client = FakeClient()
    client.failures = [ServiceUnavailable("not yet"), RuntimeError("a bug")]
    async with running(Informer(client, PODS)):
        assert client.lists == 3


async def test_a_failing_handler_harms_nobody() -> None:
    client = FakeClient()
    informer = Informer(client, PODS)
    log: list[Delta] = []

    def broken(delta: Delta) -> None:
        raise RuntimeError("handler")

    informer.add_handler(broken)
    informer.add_handler(log.append)
    async with running(informer):
        client.emit("ADDED", pod("a", 2))
        await until(lambda: log)
        assert informer.get("a", "default")


async def test_indexes_follow_changes() -> None:
    client = FakeClient()
    client.items = [pod("a", 1, node="one"), pod("b", 1, node="one")]
    informer = Informer(client, PODS)
    informer.add_index("node", lambda obj: (obj["spec"]["nodeName"],))
    async with running(informer):
        client.emit("MODIFIED", pod("a", 2, node="two"))
        await until(lambda: informer.revision == 2)
        assert [name_of(obj) for obj in informer.by_index("node", "one")] == ["b"]
        assert informer.count("node", "two") == 1
        client.emit("DELETED", pod("a", 3, node="two"))
        await until(lambda: informer.revision == 3)
        assert informer.by_index("node", "two") == []


async def test_listing_one_namespace() -> None:
    client = FakeClient()
    client.items = [pod("a", 1), pod("b", 1, namespace="other")]
    informer = Informer(client, PODS)
    async with running(informer):
        assert [name_of(obj) for obj in informer.list("other")] == ["b"]


async def test_kinds_missing_in_list_items_are_put_back() -> None:
    client = FakeClient()
    client.items = [{"metadata": {"name": "a", "resourceVersion": "1"}}]
    informer = Informer(client, PODS)
    async with running(informer):
        assert informer.list()[0]["kind"] == "Pod"


async def test_a_metadata_cache_keeps_metadata_alone_unless_a_full_one_exists() -> None:
    client = FakeClient()
    client.items = [pod("a", 1)]
    informers = Informers(client)
    full = informers.of(PODS)
    slim = informers.metadata_of(CONFIG_MAPS)
    assert informers.metadata_of(PODS) is full
    await asyncio.wait_for(informers.start(), LIMIT)
    try:
        assert "spec" in full.list()[0]
        assert "spec" not in slim.list()[0]
        late = informers.of(CONFIG_MAPS)
        await asyncio.wait_for(late.synced.wait(), LIMIT)
        await informers.stop(late)
        assert informers.of(CONFIG_MAPS) is not late
    finally:
        await informers.close()


@pytest.mark.parametrize("error", [None, Expired("old")])
async def test_a_watch_that_ends_at_once_is_not_opened_in_a_hot_loop(error: Exception | None) -> None:
    client = FakeClient()
    async with running(Informer(client, PODS)):
        for _ in range(50):
            client.break_watch(error)
        await asyncio.sleep(0.1)
        assert client.lists < 6


async def test_a_resource_that_is_not_served_has_no_objects_until_it_is() -> None:
    client = FakeClient()
    client.failures = [not_found("pods", "")]
    informer = Informer(client, PODS)
    async with running(informer):
        assert informer.list() == []
        client.items = [pod("a", 1)]
        await until(lambda: [name_of(obj) for obj in informer.list()] == ["a"])
        client.failures = [not_found("pods", "")]
        client.break_watch(Expired("gone with its definition"))
        await until(lambda: informer.list() == [])
