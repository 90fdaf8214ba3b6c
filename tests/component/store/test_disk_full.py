"""The store on a file system that fills up: a small tmpfs, so that SQLite gets the kernel's own ENOSPC."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.engine.store.contract import Key, StoreFull
from skerry.engine.store.limits import Limits
from skerry.engine.store.sqlite import SqliteStore
from tests.support.small_disk import small_disk

pytestmark = pytest.mark.root

MIB = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", mebibytes=4) as mounted:
        yield mounted


def key(number: int) -> Key:
    return Key("configmaps", "default", str(number))


async def fill(store: SqliteStore) -> int:
    """Create objects, eight at a time, until the disk is full; how many were acknowledged."""
    made = 0
    while True:
        outcomes = await asyncio.gather(
            *(store.create(key(made + n), lambda revision: b"%d" % revision + b" " * 20_000) for n in range(8)),
            return_exceptions=True,
        )
        acknowledged = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
        made += len(acknowledged)
        if len(acknowledged) < 8:
            assert all(isinstance(outcome, StoreFull) for outcome in outcomes[len(acknowledged) :])
            return made


async def test_a_full_disk_refuses_writes_until_there_is_room(disk: Path) -> None:
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * MIB)
    store = await SqliteStore.open(disk / "store.db", Limits(wal_bytes=MIB, reserve_bytes=MIB // 4))
    made = await fill(store)
    revision = store.revision
    assert made > 20
    assert store.count("configmaps") == made, "reads go on"
    with pytest.raises(StoreFull, match="full"):
        while True:  # the last free pages may take a few small ones
            await store.create(key(made), lambda revision: b"%d" % revision + b" " * 20_000)
            made += 1

    ballast.unlink()
    entry = await store.create(key(made), lambda revision: b"%d" % revision)
    assert entry.revision == store.revision >= revision + 1
    await store.close()

    store = await SqliteStore.open(disk / "store.db")
    assert store.count("configmaps") == made + 1
    assert store.revision == entry.revision
    await store.close()
