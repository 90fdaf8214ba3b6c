"""What the contract promises of watches, asked of both implementations."""

from __future__ import annotations

import asyncio

import pytest

from skerry.engine.store.contract import Change, Store, StoreClosed, Watch, WatchOverflow
from tests.support.waiting import LIMIT

from .conftest import OpenStore
from .helpers import body, key, put, remove, text_of


async def take(watch: Watch, count: int) -> list[Change]:
    """The next `count` changes, and not one more."""
    changes: list[Change] = []
    async with asyncio.timeout(LIMIT):
        while len(changes) < count:
            changes += await watch.next()
    assert len(changes) == count
    return changes


async def test_a_watch_tells_what_happened_with_the_state_before(store: Store) -> None:
    watch = store.watch("configmaps", since=store.revision)
    created = await store.create(key("a"), body("one"))
    updated = await store.update(key("a"), body("two"), created.revision)
    deleted = await store.delete(key("a"), body("last"), updated.revision)
    assert await take(watch, 3) == [
        Change("ADDED", created, None),
        Change("MODIFIED", updated, created),
        Change("DELETED", deleted, updated),
    ]
    assert text_of(deleted) == "last"
    assert deleted.decode()["metadata"]["resourceVersion"] == str(deleted.revision) == str(store.revision)


async def test_a_waiting_watch_is_woken_by_the_commit(store: Store) -> None:
    watch = store.watch("configmaps", since=store.revision)
    waiting = asyncio.ensure_future(watch.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    await store.create(key("a"), body())
    (change,) = await asyncio.wait_for(waiting, LIMIT)
    assert change.entry.key == key("a")


async def test_a_watch_sees_its_resource_and_namespace_only(store: Store) -> None:
    everywhere = store.watch("configmaps", since=store.revision)
    here = store.watch("configmaps", "here", since=store.revision)
    await put(store, key("1", "there"))
    await put(store, key("2", "here", "secrets"))
    await put(store, key("3", "here"))
    assert [change.entry.key.name for change in await take(everywhere, 2)] == ["1", "3"]
    assert [change.entry.key.name for change in await take(here, 1)] == ["3"]


async def test_a_watch_from_the_past_replays_and_goes_on_without_gap_or_repeat(store: Store) -> None:
    await put(store, key("before"))
    since = store.revision
    await put(store, key("a"), "1")
    await put(store, key("elsewhere", "other"), "1")
    await put(store, key("a"), "2")
    watch = store.watch("configmaps", "default", since=since)
    await remove(store, key("a"))
    changes = await take(watch, 3)
    assert [change.type for change in changes] == ["ADDED", "MODIFIED", "DELETED"]
    assert [change.entry.revision for change in changes] == [since + 1, since + 3, since + 4]


async def test_a_watch_knows_whether_it_has_caught_up(store: Store) -> None:
    since = store.revision
    await put(store, key("a"))
    watch = store.watch("configmaps", "default", since=since)
    assert not watch.caught_up  # what is replayed
    await take(watch, 1)
    assert watch.caught_up
    await put(store, key("b"))
    assert not watch.caught_up  # what has come since
    await take(watch, 1)
    assert watch.caught_up
    watch.close()
    assert not watch.caught_up


async def test_many_watchers_under_load_all_see_every_revision_in_order(store: Store) -> None:
    watches = [store.watch("configmaps", since=store.revision) for _ in range(10)]

    async def writer(number: int) -> None:
        for step in range(25):
            await put(store, key(str(number)), str(step))

    start = store.revision
    readers = [asyncio.ensure_future(take(watch, 200)) for watch in watches]
    await asyncio.gather(*map(writer, range(8)))
    for changes in await asyncio.gather(*readers):
        assert [change.entry.revision for change in changes] == list(range(start + 1, start + 201))


async def test_a_slow_watcher_is_cut_off_and_others_are_not(open_store: OpenStore) -> None:
    store = await open_store(watch_buffer=10)
    slow = store.watch("configmaps", since=store.revision)
    quick = store.watch("configmaps", since=store.revision)
    for number in range(11):
        await put(store, key(str(number)))
        await take(quick, 1)
    for _ in range(2):
        with pytest.raises(WatchOverflow):
            await slow.next()
    slow.close()
    again = store.watch("configmaps", since=store.revision - 11)
    assert len(await take(again, 11)) == 11, "a replay may be longer than the buffer"


async def test_a_watcher_may_not_hold_on_to_many_bytes(open_store: OpenStore) -> None:
    store = await open_store(watch_bytes=1000)
    slow = store.watch("configmaps", since=store.revision)
    big = await store.create(key("big"), lambda revision: b"%d" % revision + b" " * 5000)
    assert [change.entry.revision for change in await take(slow, 1)] == [big.revision], "a single one always fits"
    for number in range(2):
        await store.create(key(f"big-{number}"), lambda revision: b"%d" % revision + b" " * 5000)
    with pytest.raises(WatchOverflow):
        await slow.next()


async def test_cancelling_next_loses_nothing(store: Store) -> None:
    watch = store.watch("configmaps", since=store.revision)
    waiting = asyncio.ensure_future(watch.next())
    await asyncio.sleep(0)
    waiting.cancel()
    await put(store, key("a"))
    assert [change.entry.key.name for change in await take(watch, 1)] == ["a"]


async def test_a_closed_watch_ends(store: Store) -> None:
    watch = store.watch("configmaps", since=store.revision)
    waiting = asyncio.ensure_future(watch.next())
    await asyncio.sleep(0)
    watch.close()
    watch.close()
    with pytest.raises(StoreClosed):
        await waiting
    await put(store, key("a"))
    with pytest.raises(StoreClosed):
        await watch.next()


async def test_closing_the_store_ends_watches(store: Store) -> None:
    watches = [store.watch("configmaps", since=store.revision) for _ in range(3)]
    await put(store, key("a"))
    await store.close()
    for watch in watches:
        with pytest.raises(StoreClosed):
            await watch.next()


async def test_a_watch_that_is_idle_for_as_long_as_asked_gives_nothing(store: Store) -> None:
    loop = asyncio.get_running_loop()
    watch = store.watch("configmaps", since=store.revision)
    begun = loop.time()
    assert await watch.next(0.1) == ()
    assert loop.time() - begun >= 0.1
    assert await watch.next(0.1) == ()
    await put(store, key("e"))
    assert [change.entry.key.name for change in await watch.next(0.1)] == ["e"]
    watch.close()


async def test_a_watch_busier_than_its_limit_is_never_idle(store: Store) -> None:
    loop = asyncio.get_running_loop()
    watch = store.watch("configmaps", since=store.revision)
    for name in ("a", "b", "c"):
        waiting = asyncio.ensure_future(watch.next(3600))
        await asyncio.sleep(0)
        watch._look(loop, 3600)  # type: ignore[attr-defined]  # its timer goes off: one wait begun long ago, not this one
        await put(store, key(name))
        assert [change.entry.key.name for change in await waiting] == [name]
    watch.close()
