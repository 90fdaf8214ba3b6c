"""The room held back: given up when the disk is full, taken back when there is more than that again."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from skerry.engine.store.limits import Limits
from skerry.engine.store.reserve import Reserve
from skerry.engine.store.sqlite import SqliteStore

from .helpers import body, key

SIZE = 4096


class Disk:
    """As much room as a test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = 100 * SIZE
        monkeypatch.setattr(os, "statvfs", self._statvfs)

    def _statvfs(self, _: Path) -> SimpleNamespace:
        return SimpleNamespace(f_bavail=self.free, f_bfree=self.free, f_frsize=1)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_what_was_given_up_is_not_taken_back_at_once(tmp_path: Path, disk: Disk) -> None:
    reserve = Reserve(tmp_path / "reserve", SIZE)
    assert reserve.take()
    disk.free = 0
    reserve.give_up()
    disk.free = 2 * SIZE - 1
    assert not reserve.retake()
    assert not reserve.held
    assert list(tmp_path.iterdir()) == [], "nothing is taken to find out"
    disk.free = 2 * SIZE
    assert reserve.retake()
    assert reserve.held


async def test_who_asks_while_another_looks_is_not_told_what_that_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room came after the other's look: the second write is let in."""
    looking, go_on, looks = threading.Event(), threading.Event(), []

    def retake(_: Reserve) -> bool:
        looks.append(None)
        if len(looks) > 1:
            return True
        looking.set()
        go_on.wait()
        return False

    monkeypatch.setattr(Reserve, "take", lambda _: False)
    monkeypatch.setattr(Reserve, "retake", retake)
    store = await SqliteStore.open(tmp_path / "store.db", Limits(reserve_bytes=SIZE))
    assert store.trouble
    first = asyncio.ensure_future(store.create(key("first"), body()))
    await asyncio.to_thread(looking.wait)
    second = asyncio.ensure_future(store.create(key("second"), body()))
    await asyncio.sleep(0)
    go_on.set()
    refused, entry = await asyncio.gather(first, second, return_exceptions=True)
    assert isinstance(refused, Exception)
    assert not isinstance(entry, BaseException)
    assert not store.trouble
    await store.close()
