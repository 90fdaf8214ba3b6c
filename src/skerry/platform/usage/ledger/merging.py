"""Days long past become months, so that the ledger stays small: whole months, once each.

A month's object says which days are in it, in the same update as their amounts; only then are the days deleted. So
whatever fails in between, a day counts once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from skerry.kube.client import Client, Selection
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.objects import Obj, name_of, uid_of
from skerry.platform.base.capability import Context
from skerry.platform.usage.amounts import bounded, together
from skerry.platform.usage.ledger.book import day_in, status_of_day, status_of_month
from skerry.platform.usage.ledger.days import day_of, months_before
from skerry.platform.usage.projects import PROJECT_LABEL
from skerry.platform.usage.types import (
    MONTH_LABEL,
    USAGE_DAYS,
    USAGE_MONTHS,
    UsageMonthStatus,
    entries_of,
    tally_of,
    total_hours,
)

DAYS_KEPT = 400
_MONTHS_BACK = 24
_SECONDS_OF_A_DAY = 86_400.0
_PART = 500


class MonthKeeper(Controller):
    """Looks once a day."""

    name = "usage-months"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client, self._clock = context.client, context.clock
        self.queue.add(self.name)

    async def reconcile(self, key: str) -> float | None:
        """Merge what is old enough. Comes back tomorrow."""
        today = day_of(int(self._clock.now().timestamp()))
        for month in months_before(today - timedelta(days=DAYS_KEPT), _MONTHS_BACK):
            await merge_month(self._client, month)
        return _SECONDS_OF_A_DAY


async def merge_month(client: Client, month: str) -> None:
    """Of all projects. Raises StatusError, OSError."""
    by_account: dict[tuple[str, str], list[Obj]] = defaultdict(list)
    for day in await _days_of(client, month):
        by_account[day["spec"]["project"], day["spec"]["projectUid"]].append(day)
    for (project, uid), days in by_account.items():
        await _merge(client, new_month(project, uid, month), days)


async def _days_of(client: Client, month: str) -> list[Obj]:
    found: list[Obj] = []
    token = ""
    while True:
        selection = Selection(label_selector=f"{MONTH_LABEL}={month}")
        part = await client.list(USAGE_DAYS, None, selection, limit=_PART, next_token=token)
        found, token = [*found, *part.items], part.next_token
        if not token:
            return found


async def _merge(client: Client, empty: Obj, days: Sequence[Obj]) -> None:
    try:
        present = await client.create(USAGE_MONTHS, empty)
    except AlreadyExists:
        present = await client.get(USAGE_MONTHS, name_of(empty))
    wanted = with_days(present, days)
    if wanted is not present:
        await client.update(USAGE_MONTHS, wanted, "status")
    for day in days:
        try:
            await client.delete(USAGE_DAYS, name_of(day), options={"preconditions": {"uid": uid_of(day)}})
        except NotFound:
            continue


def new_month(project: str, uid: str, month: str) -> Obj:
    """The object of a month in which nothing is yet."""
    return {
        "apiVersion": USAGE_MONTHS.api_version,
        "kind": USAGE_MONTHS.kind,
        "metadata": {"name": f"{project}-{month}-{uid[:8]}", "labels": {PROJECT_LABEL: project}},
        "spec": {"project": project, "projectUid": uid, "month": month},
    }


def with_days(month: Obj, days: Sequence[Obj]) -> Obj:
    """A month with those of the days that are not in it; the same object when all are. Pure."""
    status = status_of_month(month)
    more = [day for day in days if day_in(day) not in status.days]
    if not more:
        return month
    tally = bounded(together(tally_of(status), *(tally_of(status_of_day(day)) for day in more)))
    merged = UsageMonthStatus(
        entries=entries_of(tally),
        total=total_hours(tally),
        days=sorted({*status.days, *(day_in(day) for day in more)}),
    )
    return {**month, "status": merged.dump()}
