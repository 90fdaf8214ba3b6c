"""Counts, project by project: soon after something ended, and every few minutes while something goes on.

What is idle costs nothing: nothing is written, and nobody looks. Writes a project's `status.budgets` too, and
`status.activity` where its tier has an idle policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from skerry.kube.controller import Controller
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import PODS
from skerry.platform.base.capability import Context
from skerry.platform.usage.amounts import total_of
from skerry.platform.usage.ledger.book import Book
from skerry.platform.usage.ledger.budgets import budgets_patch, budgets_status, noted_hours, used_hours
from skerry.platform.usage.ledger.ledger import Ledger
from skerry.platform.usage.measuring.activity import Measured, activity_after, idle_below
from skerry.platform.usage.measuring.measurer import Measurer
from skerry.platform.usage.metering.meter import Meter
from skerry.platform.usage.projects import PROJECTS, TIERS, Account, account_of, budgets_of

SECONDS_BETWEEN = 300.0
"""While something goes on."""
SECONDS_AFTER_A_CHANGE = 3.0
"""What ends together is counted together. What was deleted and is not counted yet is lost with this process."""
SECONDS_TO_SETTLE = 2
"""What nodes and controllers say takes a moment to arrive: nothing that is younger is counted."""


class Accountant(Controller):
    """Keys are projects. `counted` is called with each that was counted."""

    name = "usage"

    def __init__(self, context: Context, ledger: Ledger, meter: Meter, counted: Callable[[str], None]) -> None:
        super().__init__()
        self._client, self._clock = context.client, context.clock
        self._projects = context.informers.of(PROJECTS)
        self._tiers = context.informers.of(TIERS)
        self._ledger, self._meter, self._counted = ledger, meter, counted
        self._measurer = Measurer(context.client, context.informers.of(PODS), meter)
        meter.on_change(lambda project: self.queue.add_after(project, SECONDS_AFTER_A_CHANGE))
        self._projects.add_handler(self._project_changed)
        self._tiers.add_handler(self._tier_changed)

    async def reconcile(self, key: str) -> float | None:
        """Count until now. Comes back while something goes on."""
        project = self._projects.get(key)
        if project is None:
            self._meter.counted(key, self._now())
            return None
        until = self._now() - SECONDS_TO_SETTLE
        if self._meter.is_active(key):
            book, measured = await self._count(key, account_of(project), until)
            await self._tell(project, used_hours(book.lifetime), measured)
        else:
            await self._tell(project, noted_hours(project), None)
        if self._meter.is_unsettled(key, until, self._now()):
            return SECONDS_AFTER_A_CHANGE
        return SECONDS_BETWEEN if self._meter.goes_on(key) else None

    async def _count(self, key: str, account: Account, until: int) -> tuple[Book, Measured | None]:
        book = await self._ledger.book(account)
        begin = book.counted_until
        seen = await self._measurer.look(key, book.counters)
        book = await self._ledger.add(
            account, lambda begin, end: self._meter.tally(key, begin, end), until, seen.more, seen.counters
        )
        is_whole = seen.is_whole and not self._meter.has_ended(key, begin, until)
        self._meter.counted(key, until)
        self._counted(key)
        used = total_of(seen.more.values()).used_cpu
        return book, Measured(until - begin, until, used, is_whole) if seen.runs else None

    async def _tell(self, project: Obj, used: Mapping[str, float], measured: Measured | None) -> None:
        """Budgets, and where the tier wants to know whether somebody makes use of it, that as well."""
        tier, status = self._tiers.get(project["spec"].get("tier", "")), project.get("status") or {}
        present, wanted = status.get("budgets") or {}, budgets_status(used, budgets_of(project, tier))
        news: Obj = {"budgets": budgets_patch(present, wanted)} if wanted != present else {}
        below = idle_below(tier)
        if measured is not None and below is not None:
            news["activity"] = activity_after(status.get("activity"), measured, below)
        if news:
            await self._client.patch(PROJECTS, name_of(project), {"status": news}, subresource="status")

    def _now(self) -> int:
        return int(self._clock.now().timestamp())

    def _project_changed(self, delta: Delta) -> None:
        if delta.old is not None and delta.new is None:
            self._ledger.forget(account_of(delta.old).uid)
        if delta.old is None or delta.new is None or delta.old["spec"] != delta.new["spec"]:
            self.queue.add(name_of(delta.object))

    def _tier_changed(self, delta: Delta) -> None:
        for project in self._projects.list():
            if project["spec"].get("tier") == name_of(delta.object):
                self.queue.add(name_of(project))
