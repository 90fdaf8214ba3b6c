"""What the contract promises of writes and reads, asked of both implementations."""

from __future__ import annotations

import asyncio
import tracemalloc

import orjson
import pytest

from skerry.engine.store.contract import (
    Compacted,
    FutureRevision,
    KeyExists,
    KeyMissing,
    RevisionConflict,
    Store,
    StoreClosed,
)

from .conftest import OpenStore
from .helpers import body, key, put, remove, text_of


def names(entries: object) -> list[str]:
    return [entry.key.name for entry in entries]  # type: ignore[attr-defined]


async def test_an_empty_store_has_a_revision_above_zero(store: Store) -> None:
    assert store.revision >= 1
    assert store.oldest == store.revision
    assert store.get(key("a")) is None
    assert store.list("configmaps") == []


async def test_a_write_is_readable_once_acknowledged_and_carries_its_revision(store: Store) -> None:
    before = store.revision
    entry = await store.create(key("a"), body("one"))
    assert entry.revision == before + 1 == store.revision
    assert entry.decode() == {"metadata": {"resourceVersion": str(entry.revision)}, "text": "one"}
    assert store.get(key("a")) is entry


async def test_create_refuses_a_taken_key_and_uses_no_revision(store: Store) -> None:
    await store.create(key("a"), body())
    before = store.revision
    with pytest.raises(KeyExists):
        await store.create(key("a"), body())
    assert store.revision == before
    assert (await store.create(key("b"), body())).revision == before + 1


async def test_create_sees_a_pending_create(store: Store) -> None:
    results = await asyncio.gather(
        store.create(key("a"), body("first")), store.create(key("a"), body("second")), return_exceptions=True
    )
    assert isinstance(results[1], KeyExists)
    assert text_of(store.get(key("a"))) == "first"


async def test_update_and_delete_need_the_key(store: Store) -> None:
    with pytest.raises(KeyMissing):
        await store.update(key("a"), body(), 1)
    with pytest.raises(KeyMissing):
        await store.delete(key("a"), body(), 1)


async def test_update_and_delete_need_the_revision(store: Store) -> None:
    entry = await store.create(key("a"), body("old"))
    for change in (store.update, store.delete):
        with pytest.raises(RevisionConflict):
            await change(key("a"), body("new"), entry.revision - 1)
    assert text_of(store.get(key("a"))) == "old"


async def test_of_concurrent_updates_from_one_revision_one_wins(store: Store) -> None:
    entry = await store.create(key("a"), body("0"))
    results = await asyncio.gather(
        *(store.update(key("a"), body(str(number)), entry.revision) for number in range(1, 9)), return_exceptions=True
    )
    assert [isinstance(result, RevisionConflict) for result in results] == [False] + [True] * 7
    assert text_of(store.get(key("a"))) == "1"


async def test_a_deleted_key_can_be_made_again_while_its_deletion_is_pending(store: Store) -> None:
    entry = await store.create(key("a"), body("old"))
    deleted, created = await asyncio.gather(
        store.delete(key("a"), body("last"), entry.revision), store.create(key("a"), body("new"))
    )
    assert (deleted.revision, created.revision) == (entry.revision + 1, entry.revision + 2)
    assert text_of(store.get(key("a"))) == "new"


async def test_readers_do_not_see_pending_writes(store: Store) -> None:
    before = store.revision
    task = asyncio.ensure_future(store.create(key("a"), body()))
    await asyncio.sleep(0)
    assert store.get(key("a")) is None
    assert store.count("configmaps") == 0
    assert store.revision == before
    await task
    assert store.get(key("a")) is not None


async def test_settled_waits_for_all_pending_writes_of_the_key(store: Store) -> None:
    created = asyncio.ensure_future(store.create(key("a"), body("one")))
    await asyncio.sleep(0)
    updated = asyncio.ensure_future(store.update(key("a"), body("two"), store.revision + 1))
    await asyncio.sleep(0)
    await store.settled(key("a"))
    assert text_of(store.get(key("a"))) == "two"
    await store.settled(key("never heard of"))
    await asyncio.gather(created, updated)


async def test_cancelling_a_writer_neither_undoes_the_write_nor_disturbs_others(store: Store) -> None:
    task = asyncio.ensure_future(store.create(key("a"), body("a")))
    other = asyncio.ensure_future(store.create(key("b"), body("b")))
    await asyncio.sleep(0)
    task.cancel()
    await store.settled(key("a"))
    assert text_of(store.get(key("a"))) == "a"
    await other
    assert task.cancelled()


async def test_an_encoder_that_raises_writes_nothing_and_uses_no_revision(store: Store) -> None:
    def broken(revision: int) -> bytes:
        raise ValueError("no such object")

    before = store.revision
    with pytest.raises(ValueError, match="no such object"):
        await store.create(key("a"), broken)
    assert (await store.create(key("a"), body())).revision == before + 1


async def test_encode_is_called_once_and_synchronously(store: Store) -> None:
    calls: list[int] = []

    def encode(revision: int) -> bytes:
        calls.append(revision)
        return b"{}"

    write = store.create(key("a"), encode)
    task = asyncio.ensure_future(write)
    await asyncio.sleep(0)
    assert calls == [store.revision + 1]
    await task
    assert len(calls) == 1


async def test_list_is_ordered_by_namespace_and_name(store: Store) -> None:
    for namespace, name in (("b", "x"), ("a", "z"), ("a", "b"), ("b", "a"), ("a", "a-b"), ("a", "a")):
        await store.create(key(name, namespace), body())
    await store.create(key("other", "a", "secrets"), body())
    listed = [(entry.key.namespace, entry.key.name) for entry in store.list("configmaps")]
    assert listed == [("a", "a"), ("a", "a-b"), ("a", "b"), ("a", "z"), ("b", "a"), ("b", "x")]
    assert names(store.list("configmaps", "b")) == ["a", "x"]
    assert store.list("configmaps", "c") == []
    assert (store.count("configmaps"), store.count("configmaps", "a"), store.count("configmaps", "c")) == (6, 4, 0)


async def test_list_stays_ordered_through_deletes_and_additions(store: Store) -> None:
    for name in ("m", "c", "x"):
        await store.create(key(name), body())
    assert names(store.list("configmaps")) == ["c", "m", "x"]
    await remove(store, key("x"))
    await store.create(key("d"), body())
    await store.create(key("n"), body())
    assert names(store.list("configmaps")) == ["c", "d", "m", "n"]


async def test_list_in_pages_crosses_namespaces(store: Store) -> None:
    for namespace in ("a", "b", "c"):
        for name in ("1", "2", "3"):
            await store.create(key(name, namespace), body())
    seen: list[tuple[str, str]] = []
    after = None
    while page := store.list("configmaps", after=after, limit=2):
        assert len(page) <= 2
        after = page[-1].key
        seen += [(entry.key.namespace, entry.key.name) for entry in page]
    assert seen == [(namespace, name) for namespace in "abc" for name in "123"]
    assert names(store.list("configmaps", "b", after=key("1", "b"))) == ["2", "3"]


async def test_list_at_an_older_revision(store: Store) -> None:
    await put(store, key("kept"), "kept")
    await put(store, key("changed"), "before")
    await put(store, key("removed"), "was here")
    then = store.revision
    await put(store, key("changed"), "between")
    await put(store, key("changed"), "after")
    await remove(store, key("removed"))
    await put(store, key("added"), "new")
    await put(store, key("elsewhere", "other"), "new")
    listed = [(entry.key.name, text_of(entry)) for entry in store.list("configmaps", at=then)]
    assert listed == [("changed", "before"), ("kept", "kept"), ("removed", "was here")]
    assert names(store.list("configmaps", at=then, after=key("changed"), limit=1)) == ["kept"]
    assert store.list("configmaps", "other", at=then) == []


async def test_the_past_is_bounded_and_the_future_refused(open_store: OpenStore) -> None:
    store = await open_store(history_count=5)
    for number in range(20):
        await put(store, key("a"), str(number))
    assert store.oldest == store.revision - 5
    assert text_of(store.list("configmaps", at=store.oldest)[0]) == "14"
    with pytest.raises(Compacted) as compacted:
        store.list("configmaps", at=store.oldest - 1)
    assert compacted.value.oldest == store.oldest
    with pytest.raises(Compacted):
        store.watch("configmaps", since=store.oldest - 1)
    with pytest.raises(FutureRevision):
        store.list("configmaps", at=store.revision + 1)
    with pytest.raises(FutureRevision):
        store.watch("configmaps", since=store.revision + 1)


async def test_history_is_bounded_by_bytes_too(open_store: OpenStore) -> None:
    store = await open_store(history_bytes=10_000)
    for _ in range(50):
        await put(store, key("a"), size=1000)
    assert 5 <= store.revision - store.oldest <= 10
    await put(store, key("huge"), size=50_000)
    await put(store, key("huge"), size=50_000)
    assert store.oldest == store.revision - 1


async def test_history_forgets_decoded_copies_of_superseded_states(store: Store) -> None:
    first = await store.create(key("a"), body("old"))
    decoded = first.shared()
    assert first.shared() is decoded
    await put(store, key("a"), "new")
    assert first.shared() is decoded, "watchers are about to look at it"
    for number in range(300):
        await put(store, key("b"), str(number))
    assert first.shared() is not decoded


async def test_what_is_given_with_a_write_is_what_watchers_see(store: Store) -> None:
    unwatched = await store.create(key("a"), body("x"), {"given": 1})
    assert "given" not in unwatched.shared(), "nobody is about to look at it: it is not kept"
    watch = store.watch(key("a").resource, since=store.revision)
    given: dict[str, object] = {"given": 2}
    await store.create(key("b"), body("x"), given)
    (change,) = await watch.next()
    assert change.entry.shared() is given
    assert change.entry.decode() == orjson.loads(change.entry.value)


async def test_a_stored_object_costs_little_more_than_its_bytes(store: Store) -> None:
    def encode(revision: int) -> bytes:
        return orjson.dumps({"metadata": {"resourceVersion": str(revision)}, "text": "x" * 900})

    await store.create(key("first"), encode)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(100):
            await store.create(key(str(number)), encode)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / 100 < 2000


async def test_close_finishes_pending_writes_and_refuses_new_ones(store: Store) -> None:
    pending = [asyncio.ensure_future(store.create(key(str(number)), body())) for number in range(10)]
    await asyncio.sleep(0)
    await asyncio.gather(store.close(), store.close())
    assert [entry.key.name for entry in await asyncio.gather(*pending)] == [str(number) for number in range(10)]
    for refused in (store.create(key("new"), body()), store.update(key("1"), body(), store.revision)):
        with pytest.raises((StoreClosed, RevisionConflict)):
            await refused
    with pytest.raises(StoreClosed):
        store.watch("configmaps", since=store.revision)
    await store.close()


async def test_writes_are_committed_in_order_under_concurrency(store: Store) -> None:
    async def writer(number: int) -> list[int]:
        return [(await store.create(key(f"{number}-{step}"), body())).revision for step in range(20)]

    start = store.revision
    revisions = [revision for one in await asyncio.gather(*map(writer, range(16))) for revision in one]
    assert sorted(revisions) == list(range(start + 1, start + 321))
