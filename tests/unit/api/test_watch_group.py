"""Watches alike share their work: each of them still has every event, once and in order, however fast it reads."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from skerry.engine.api.http import watch_group
from skerry.engine.api.http.watch_group import Group
from skerry.engine.api.verbs import watching
from skerry.engine.store.limits import Limits
from skerry.engine.store.memory import MemoryStore
from skerry.kube.objects import name_of
from skerry.kube.resources import CONFIG_MAPS
from tests.support.api import RunningApi, running_api
from tests.support.waiting import until
from tests.unit.api.raw_http import send
from tests.unit.api.watches import Events, watch

LAST = "last"


@pytest.fixture
def members(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many watches every batch of a group was for."""
    seen: list[int] = []
    original = Group._send

    def noting(self: Group, events: Any) -> None:
        seen.append(len(self._members))
        original(self, events)

    monkeypatch.setattr(Group, "_send", noting)
    return seen


@pytest.fixture(params=[1, 1000], ids=["with pauses", "without"])
def pausing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_group, "_MANY", request.param)


async def make(api: RunningApi, name: str) -> int:
    """Create; its revision."""
    made = await api.client.create(CONFIG_MAPS, {"metadata": {"name": name, "labels": {"odd": name[-1:]}}}, "default")
    return int(made["metadata"]["resourceVersion"])


async def names(events: Events) -> list[str]:
    """Of the objects added, up to the last one."""
    found: list[str] = []
    while LAST not in found:
        event = await events.next()
        assert event["type"] == "ADDED"
        found.append(name_of(event["object"]))
    return found


@pytest.mark.usefixtures("pausing")
async def test_who_comes_at_any_time_misses_nothing_and_sees_nothing_twice(api: RunningApi, members: list[int]) -> None:
    """A new watch after every write: some find a group, some are ahead of it, some behind."""
    begin = api.store.revision
    async with AsyncExitStack() as stack:
        opened: list[tuple[int, Events]] = []
        expected = []
        for number in range(12):
            for since in (begin, api.store.revision):
                missed = len(expected) if since != begin else 0
                opened.append((missed, await stack.enter_async_context(watch(api, f"&resourceVersion={since}"))))
            expected.append(f"c-{number}")
            await make(api, expected[-1])
        await make(api, LAST)
        for missed, events in opened:
            assert await names(events) == [*expected[missed:], LAST]
    assert max(members) > 1


@pytest.mark.usefixtures("pausing")
async def test_selections_have_groups_of_their_own(api: RunningApi, members: list[int]) -> None:
    query = f"&resourceVersion={api.store.revision}"
    async with AsyncExitStack() as stack:
        selected = [await stack.enter_async_context(watch(api, f"{query}&labelSelector=odd%3D1")) for _ in range(2)]
        tables = [
            await stack.enter_async_context(watch(api, query, "application/json;as=Table;v=v1;g=meta.k8s.io"))
            for _ in range(2)
        ]
        everything = [await stack.enter_async_context(watch(api, query)) for _ in range(2)]
        for name in ("a-1", "a-2", "b-1", "b-2"):
            await make(api, name)
        for events in selected:
            assert [name_of((await events.next())["object"]) for _ in range(2)] == ["a-1", "b-1"]
        for events in tables:
            assert [(await events.next())["object"]["kind"] for _ in range(4)] == ["Table"] * 4
        for events in everything:
            assert [name_of((await events.next())["object"]) for _ in range(4)] == ["a-1", "a-2", "b-1", "b-2"]
    assert max(members) == 2


async def together(api: RunningApi, stack: AsyncExitStack, query: str) -> tuple[Events, Events]:
    """Two watches that are in one group: each has had an event, and both were there for the next."""
    query = f"&resourceVersion={api.store.revision}&timeoutSeconds=600{query}"
    one, two = [await stack.enter_async_context(watch(api, query)) for _ in range(2)]
    for name in ("first", "second"):
        await make(api, name)
        for events in (one, two):
            assert name_of((await events.next())["object"]) == name
    return one, two


async def change(api: RunningApi, times: int, reader: Events) -> None:
    """Events of half a megabyte, which one of the watches reads as they come."""
    for number in range(times):
        data = {"n": str(number), "text": "x" * 500_000}
        await api.client.patch(CONFIG_MAPS, "first", {"data": data}, "default")
        assert (await reader.next())["object"]["data"]["n"] == str(number)


async def test_who_does_not_read_goes_on_alone_and_catches_up(api: RunningApi, members: list[int]) -> None:
    async with AsyncExitStack() as stack:
        slow, quick = await together(api, stack, "")
        await change(api, 60, quick)
        assert 1 in members[members.index(2) :]
        seen = [(await slow.next())["object"]["data"]["n"] for _ in range(60)]
        assert seen == [str(number) for number in range(60)]


async def test_a_slow_member_whose_history_is_gone_is_told_so(members: list[int]) -> None:
    store = MemoryStore(Limits(history_count=5, watch_buffer=5))
    async with running_api(store=store) as api, AsyncExitStack() as stack:
        slow, quick = await together(api, stack, "")
        await change(api, 60, quick)
        seen = []
        while (event := await slow.next())["type"] == "MODIFIED":
            seen.append(event["object"]["data"]["n"])
        assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
        assert seen == [str(number) for number in range(len(seen))]
        assert len(seen) < 60
    assert 2 in members


async def test_bookmarks_come_to_all_while_nothing_happens(
    api: RunningApi, members: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "BOOKMARK_EVERY", 0.05)
    query = f"&resourceVersion={api.store.revision}&allowWatchBookmarks=true"
    async with watch(api, query) as one, watch(api, query) as two:
        for name in ("first", "second"):
            revision = await make(api, name)
            for events in (one, two):
                while (event := await events.next())["type"] == "BOOKMARK":
                    assert int(event["object"]["metadata"]["resourceVersion"]) < revision
                assert name_of(event["object"]) == name
        for events in (one, two):
            event = await events.next()
            assert (event["type"], event["object"]["metadata"]["resourceVersion"]) == ("BOOKMARK", str(revision))
    assert 2 in members


async def test_one_may_go_and_the_others_stay(api: RunningApi, members: list[int]) -> None:
    query = f"&resourceVersion={api.store.revision}&timeoutSeconds=600"
    async with AsyncExitStack() as early, watch(api, query) as stays:
        goes = await early.enter_async_context(watch(api, query))
        for name in ("a", "b"):
            await make(api, name)
            for events in (goes, stays):
                assert name_of((await events.next())["object"]) == name
        await early.aclose()
        await watches_open(api, 1)
        await make(api, "c")
        assert name_of((await stays.next())["object"]) == "c"
    await watches_open(api, 0)
    assert api.server._edge.watches._groups == {}
    assert 2 in members


async def watches_open(api: RunningApi, count: int) -> None:
    async def open_now() -> bool:
        return f"skerry_watches {count}".encode() in (await send(api, "GET", "/metrics")).body

    await until(open_now, f"{count} watches")


async def test_stopping_the_server_ends_members_in_order(api: RunningApi) -> None:
    async with AsyncExitStack() as stack:
        both = await together(api, stack, "&allowWatchBookmarks=true")
        stopping = asyncio.create_task(api.server.stop())
        for events in both:
            assert (await events.next())["type"] == "BOOKMARK"
            assert await events.next() is None
        await stopping


async def test_a_store_that_is_closed_ends_them(api: RunningApi) -> None:
    async with AsyncExitStack() as stack:
        both = await together(api, stack, "")
        await api.store.close()
        for events in both:
            last = await events.next()
            assert (last["type"], last["object"]["code"]) == ("ERROR", 503)
            assert await events.next() is None
