"""Days become months: each once, whatever fails in between."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import date
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from skerry.platform.usage.amounts import Amounts, total_of
from skerry.platform.usage.ledger.book import Shelf, counted, new_day, status_of_month
from skerry.platform.usage.ledger.days import begin_of, by_day, months_before
from skerry.platform.usage.ledger.merging import merge_month
from skerry.platform.usage.projects import Account
from skerry.platform.usage.types import USAGE_DAYS, USAGE_MONTHS
from tests.unit.platform.usage.api import Api, Breaking, BrokenApi

LIDAR = Account("lidar", "0123456789", begin_of(date(2025, 1, 1)))
ANNA = ("lidar", "anna")


def test_times_are_cut_at_midnight() -> None:
    begin = begin_of(date(2026, 2, 28)) + 86_000
    assert list(by_day(begin, begin + 90_000)) == [
        (date(2026, 2, 28), begin, begin + 400),
        (date(2026, 3, 1), begin + 400, begin + 86_800),
        (date(2026, 3, 2), begin + 86_800, begin + 90_000),
    ]
    assert list(by_day(begin, begin)) == []
    assert list(months_before(date(2026, 2, 28), 3)) == ["2026-01", "2025-12", "2025-11"]


@given(st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["before", "after"])), max_size=4))
def test_what_is_merged_counts_once(breakings: list[tuple[int, Breaking]]) -> None:
    api, client = _three_days()

    async def run() -> None:
        for place, breaking in breakings:
            _break_at(api, place, breaking)
            with contextlib.suppress(BrokenApi):
                await merge_month(client, "2025-01")
            _has_all(api)
        api.breaks = lambda: ""
        await merge_month(client, "2025-01")

    asyncio.run(run())
    _has_all(api)
    assert [one["spec"]["day"] for one in api.of(USAGE_DAYS)] == ["2025-02-01"]
    (month,) = api.of(USAGE_MONTHS)
    assert total_of(one.amounts() for one in status_of_month(month).entries) == Amounts(cpu=11)
    assert status_of_month(month).days == [date(2025, 1, 30), date(2025, 1, 31)]


def _three_days() -> tuple[Api, Any]:
    api = Api()
    client = cast("Any", api)

    async def fill() -> None:
        for day, cpu in ((date(2025, 1, 30), 1), (date(2025, 1, 31), 10), (date(2025, 2, 1), 100)):
            made = await api.create(USAGE_DAYS, new_day(LIDAR, day))
            await api.update(USAGE_DAYS, counted(made, {ANNA: Amounts(cpu=cpu)}, begin_of(day) + 60, {}), "status")

    asyncio.run(fill())
    return api, client


def _break_at(api: Api, place: int, breaking: Breaking) -> None:
    plan = iter([""] * place + [breaking])
    api.breaks = lambda: cast("Breaking", next(plan, ""))


def _has_all(api: Api) -> None:
    shelf = Shelf(api.of(USAGE_MONTHS))
    shelf.add(api.of(USAGE_DAYS))
    assert shelf.book(LIDAR.uid).lifetime == Amounts(cpu=111)
