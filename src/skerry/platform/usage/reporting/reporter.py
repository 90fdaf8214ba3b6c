"""Tells members what their project used: a report of the last days, kept current, and one of every week.

They are UsageReports in the project's first namespace, where its members may read; the ledger itself is for operators.
What a report says can be worked out again from the ledger, whatever becomes of it.
"""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.objects import Obj, name_of
from skerry.platform.base.capability import Context
from skerry.platform.usage.ledger.days import begin_of, day_of, week_of
from skerry.platform.usage.ledger.ledger import Ledger
from skerry.platform.usage.metering.meter import Meter
from skerry.platform.usage.projects import PROJECTS, account_of, home_of
from skerry.platform.usage.reporting.making import (
    RECENT,
    Subject,
    is_outdated,
    last_week,
    lately,
    new_report,
    report,
    week_name,
    weekly,
    within,
)
from skerry.platform.usage.types import USAGE_REPORTS

_SECONDS_AFTER_COUNTING = 5.0
_SECONDS_UNTIL_COUNTED = 30.0
_SECONDS_OF_A_DAY = 86_400


class Reporter(Controller):
    """Keys are projects."""

    name = "usage-reports"
    workers = 2

    def __init__(self, context: Context, ledger: Ledger, meter: Meter) -> None:
        super().__init__()
        self._client, self._clock = context.client, context.clock
        self._ledger, self._meter = ledger, meter
        self._projects = context.informers.of(PROJECTS)
        self._reports = context.informers.of(USAGE_REPORTS)
        self._counted: set[str] = set()
        """Projects whose figures changed."""
        self._active: tuple[str, frozenset[str]] = ("", frozenset())
        """A week, and the uids of who used something in it."""
        self._asking = asyncio.Lock()
        self._projects.add_handler(lambda delta: self.queue.add(name_of(delta.object)) if delta.old is None else None)

    def counted(self, project: str) -> None:
        """There is more to tell."""
        self._counted.add(project)
        self.queue.add_after(project, _SECONDS_AFTER_COUNTING)

    async def reconcile(self, key: str) -> float | None:
        """Bring a project's reports up to date. Comes back when the week is over."""
        project = self._projects.get(key)
        if project is None:
            self._counted.discard(key)
            return None
        today = self._today()
        try:
            if key in self._counted:
                self._counted.discard(key)
                await self._tell_lately(project, today)
            if not await self._tell_week(project, today):
                return _SECONDS_UNTIL_COUNTED
        except NotFound:  # its namespace is not there yet, or gone
            return _SECONDS_UNTIL_COUNTED
        next_monday = begin_of(today - timedelta(days=today.weekday())) + 7 * _SECONDS_OF_A_DAY
        return next_monday - self._clock.now().timestamp() + 1

    async def _tell_lately(self, project: Obj, today: date) -> None:
        book = await self._ledger.book(account_of(project))
        subject = _about(project, lately(today))
        await self._write(project, subject, RECENT, report(subject, book.days, _budgets(project), self._clock.now()))

    async def _tell_week(self, project: Obj, today: date) -> bool:
        """False when the week is not yet counted."""
        key, account, subject = name_of(project), account_of(project), _about(project, last_week(today))
        name = week_name(subject.begins)
        if self._reports.get(name, home_of(project)) is not None:
            return True
        if self._ledger.known(account) is None and account.uid not in await self._active_in(week_of(subject.begins)):
            return not self._meter.is_active(key)  # one that is will be counted in a moment
        book = await self._ledger.book(account)
        if self._meter.tally(key, book.counted_until, begin_of(subject.ends) + _SECONDS_OF_A_DAY):
            return False
        if not within(subject, book.days):
            return True
        await self._write(project, subject, name, weekly(subject, book.days, _budgets(project), self._clock.now()))
        await self._delete_outdated(project, today)
        return True

    async def _active_in(self, week: str) -> frozenset[str]:
        async with self._asking:
            if self._active[0] != week:
                self._active = (week, await self._ledger.active_in(week))
            return self._active[1]

    async def _write(self, project: Obj, subject: Subject, name: str, status: Obj) -> None:
        namespace = home_of(project)
        wanted = new_report(subject, name, namespace)
        present = self._reports.get(name, namespace)
        if present is None:
            try:
                present = await self._client.create(USAGE_REPORTS, wanted, namespace)
            except AlreadyExists:
                present = await self._client.get(USAGE_REPORTS, name, namespace)
        if present["spec"] != wanted["spec"]:
            present = await self._client.update(USAGE_REPORTS, {**present, "spec": wanted["spec"]})
        await self._client.update(USAGE_REPORTS, {**present, "status": status}, "status")

    async def _delete_outdated(self, project: Obj, today: date) -> None:
        namespace = home_of(project)
        for one in self._reports.list(namespace):
            if is_outdated(name_of(one), today):
                await self._client.delete(USAGE_REPORTS, name_of(one), namespace)

    def _today(self) -> date:
        return day_of(int(self._clock.now().timestamp()))


def _about(project: Obj, subject: Subject) -> Subject:
    return Subject(name_of(project), subject.begins, subject.ends)


def _budgets(project: Obj) -> dict[str, Obj]:
    return (project.get("status") or {}).get("budgets") or {}
