"""What only the SQLite store promises: the file survives, is guarded, and stays bounded."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import stat
from pathlib import Path

import pytest

from skerry.engine.store import database
from skerry.engine.store.contract import StoreFull
from skerry.engine.store.database import StoreCorrupt, StoreLocked, StoreOpenError, StoreTooNew
from skerry.engine.store.limits import Limits
from skerry.engine.store.sqlite import SqliteStore

from .helpers import body, key, put, remove, text_of
from .test_watch import take


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def rows(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM log").fetchone()[0])
    finally:
        connection.close()


async def test_state_history_and_revision_survive_a_restart(path: Path) -> None:
    store = await SqliteStore.open(path)
    await put(store, key("a"), "1")
    since = store.revision
    await put(store, key("b"), "1")
    await put(store, key("a"), "2")
    await remove(store, key("b"))
    revision, oldest = store.revision, store.oldest
    await store.close()

    store = await SqliteStore.open(path)
    assert (store.revision, store.oldest) == (revision, oldest)
    assert [text_of(entry) for entry in store.list("configmaps")] == ["2"]
    assert [text_of(entry) for entry in store.list("configmaps", at=since)] == ["1"]
    changes = await take(store.watch("configmaps", since=since), 3)
    assert [(change.type, change.entry.key.name) for change in changes] == [
        ("ADDED", "b"),
        ("MODIFIED", "a"),
        ("DELETED", "b"),
    ]
    assert changes[1].previous is not None
    assert text_of(changes[1].previous) == "1"
    assert (await put(store, key("c"))).revision == revision + 1
    await store.close()


async def test_the_revision_survives_when_everything_is_deleted(path: Path) -> None:
    limits = Limits(history_count=0, history_bytes=0)
    for _ in range(3):
        store = await SqliteStore.open(path, limits)
        before = store.revision
        await put(store, key("a"))
        await remove(store, key("a"))
        await store.close()
        store = await SqliteStore.open(path, limits)
        assert store.revision == before + 2
        await store.close()


async def test_history_that_left_memory_leaves_the_file(path: Path) -> None:
    limits = Limits(history_count=100)
    store = await SqliteStore.open(path, limits)
    for _ in range(30):  # rounds, so that deletions get their turn
        await asyncio.gather(*(put(store, key(str(number)), size=500) for number in range(100)))
    oldest, revision = store.oldest, store.revision
    await store.close()
    assert rows(path) < 100 + 100 + 1024 + 128
    store = await SqliteStore.open(path, limits)
    assert (store.oldest, store.revision, store.count("configmaps")) == (oldest, revision, 100)
    await store.close()


async def test_the_log_stays_bounded_under_writes_that_never_stop(path: Path) -> None:
    store = await SqliteStore.open(path, Limits(wal_bytes=1 << 20))
    wal = Path(f"{path}-wal")
    largest = 0

    async def writer(number: int) -> None:
        nonlocal largest
        for _ in range(150):
            await put(store, key(str(number)), size=2000)
            largest = max(largest, wal.stat().st_size)

    await asyncio.gather(*map(writer, range(64)))
    await store.close()
    assert 9600 * 2000 > 18 << 20
    assert largest < 8 << 20
    assert not wal.exists()


async def test_files_are_private(path: Path) -> None:
    path.touch(mode=0o644)
    store = await SqliteStore.open(path)
    await put(store, key("a"))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    await store.close()
    assert set(modes.values()) == {0o600}
    assert {"store.db", "store.db-wal", "store.db.lock"} <= set(modes)


async def test_a_second_opener_is_refused_until_the_first_closes(path: Path) -> None:
    store = await SqliteStore.open(path)
    with pytest.raises(StoreLocked, match=r"store\.db is in use"):
        await SqliteStore.open(path)
    await put(store, key("a"))
    await store.close()
    await (await SqliteStore.open(path)).close()


async def test_a_newer_schema_is_refused_by_version(path: Path) -> None:
    await (await SqliteStore.open(path)).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(StoreTooNew, match="schema version 7"):
        await SqliteStore.open(path)


async def test_what_is_not_our_database_is_refused_untouched(path: Path) -> None:
    path.write_bytes(b"certainly not a database" * 1000)
    with pytest.raises(StoreCorrupt, match="damaged"):
        await SqliteStore.open(path)
    assert path.read_bytes() == b"certainly not a database" * 1000
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(StoreCorrupt, match="not Skerry's"):
        await SqliteStore.open(path)


async def test_a_damaged_page_is_found_at_open(path: Path) -> None:
    store = await SqliteStore.open(path)
    for number in range(100):
        await put(store, key(str(number)), size=1000)
    await store.close()
    content = bytearray(path.read_bytes())
    content[5 * 4096 : 6 * 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    with pytest.raises(StoreCorrupt, match="damaged"):
        await SqliteStore.open(path)
    with pytest.raises(StoreCorrupt):  # and the refusal left no lock behind
        await SqliteStore.open(path)


async def test_a_missing_directory_is_an_open_error(tmp_path: Path) -> None:
    with pytest.raises(StoreOpenError):
        await SqliteStore.open(tmp_path / "missing" / "store.db")


async def test_a_failed_commit_fails_the_writes_after_it_and_nothing_else(path: Path) -> None:
    """The kernel refuses to let the log grow (RLIMIT_FSIZE); SQLite sees a real I/O error."""
    store = await SqliteStore.open(path)
    kept = await put(store, key("kept"), "before")
    watch = store.watch("configmaps", since=store.revision)
    revision = store.revision
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{path}-wal").stat().st_size + 8192, hard))
    try:
        first = store.create(key("big"), body("big", size=100_000))
        update = store.update(key("kept"), body("after"), kept.revision)
        outcomes = await asyncio.gather(first, update, return_exceptions=True)
        late = await asyncio.gather(
            *(store.create(key(f"late-{number}"), body(size=100_000)) for number in range(5)), return_exceptions=True
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [type(outcome) for outcome in (*outcomes, *late)] == [StoreFull] * 7
    assert store.revision == revision
    assert text_of(store.get(key("kept"))) == "before"
    assert store.count("configmaps") == 1

    again = await store.update(key("kept"), body("room again"), kept.revision)
    assert again.revision == revision + 1
    assert [change.entry.revision for change in await take(watch, 1)] == [again.revision]
    await store.close()
    store = await SqliteStore.open(path)
    assert [text_of(entry) for entry in store.list("configmaps")] == ["room again"]
    await store.close()


async def test_writes_ordered_while_a_commit_fails_fail_with_it(path: Path) -> None:
    store = await SqliteStore.open(path)
    await put(store, key("kept"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{path}-wal").stat().st_size, hard))
    try:
        tasks = []
        for number in range(200):  # over many turns of the loop, so over many commits
            tasks.append(asyncio.ensure_future(store.create(key(str(number)), body(size=10_000))))
            await asyncio.sleep(0)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {type(outcome) for outcome in outcomes} == {StoreFull}
    revision = store.revision
    entries = await asyncio.gather(*(store.create(key(str(number)), body(str(number))) for number in range(200)))
    assert [entry.revision for entry in entries] == list(range(revision + 1, revision + 201))
    await store.close()


async def test_ten_thousand_objects_are_opened_by_as_few_statements_as_none(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long that takes shows `make bench`."""
    statements: list[str] = []
    connect = database.connect

    def traced(file: Path) -> sqlite3.Connection:
        connection = connect(file)
        connection.set_trace_callback(statements.append)
        return connection

    store = await SqliteStore.open(path)
    await store.close()
    monkeypatch.setattr(database, "connect", traced)
    store = await SqliteStore.open(path)
    for_none = list(statements)
    for start in range(0, 10_000, 1000):
        await asyncio.gather(*(store.create(key(str(start + n)), body(size=1000)) for n in range(1000)))
    await store.close()
    statements.clear()
    store = await SqliteStore.open(path)
    assert statements == for_none
    assert store.count("configmaps") == 10_000
    await store.close()
