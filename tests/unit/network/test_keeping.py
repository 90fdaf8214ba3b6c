"""What is kept up to date is tried again after every failure, told, and never given up."""

from __future__ import annotations

import asyncio

import pytest

from skerry.engine.network import keeping
from skerry.engine.network.commands import CommandError
from skerry.engine.network.keeping import Keeping, set_within
from tests.support.waiting import until


class Kept(Keeping):
    what = "it"

    def __init__(self, *failures: Exception) -> None:
        super().__init__()
        self.failures = list(failures)
        self.done = 0
        self.told: list[str] = []

    def start(self, ready: asyncio.Event) -> None:
        self._keep(ready.wait())

    def change(self) -> None:
        self._changed.set()

    async def _bring_about(self) -> None:
        self.told.append(self.trouble)
        if self.failures:
            raise self.failures.pop(0)
        self.done += 1


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "RETRY", 0.001)


async def test_nothing_is_done_before_everything_is_known() -> None:
    kept, ready = Kept(), asyncio.Event()
    kept.start(ready)
    assert not await set_within(asyncio.Event(), 0.01)
    assert kept.done == 0
    ready.set()
    await until(lambda: kept.done == 1)
    await kept.close()


async def test_failures_are_told_and_tried_again_unexpected_ones_too() -> None:
    kept, ready = Kept(CommandError("nft: no"), ZeroDivisionError("oops")), asyncio.Event()
    ready.set()
    kept.start(ready)
    await until(lambda: kept.done == 1 and not kept.trouble)
    assert kept.told == ["", "it could not be brought up to date: nft: no", "it could not be brought up to date: oops"]
    kept.change()
    await until(lambda: kept.done == 2)
    await kept.close()


async def test_a_burst_of_changes_is_one_piece_of_work() -> None:
    kept, ready = Kept(), asyncio.Event()
    ready.set()
    kept.start(ready)
    await until(lambda: kept.done == 1)
    for _ in range(5):
        kept.change()
    await until(lambda: kept.done == 2)
    await kept.close()
    assert kept.done == 2
