"""Keeps what a project's status says of its quota: used and hard, and whether something was refused that does not fit.

What changes is told a moment later, once, however much changes; what would not change the status is not written.
"""

from __future__ import annotations

from collections.abc import Mapping

from skerry.kube.conditions import condition_of
from skerry.kube.controller import Controller
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, name_of
from skerry.kube.quota.amounts import ZERO, Amount, Amounts
from skerry.platform.base.capability import Context
from skerry.platform.base.status import Condition, apply_status
from skerry.platform.projects.quota.granted import Ungranted, allowance, tier_of
from skerry.platform.projects.quota.ledger import ledger_of
from skerry.platform.projects.quota.refusals import FORGOTTEN_AFTER, REASON, Refused, refusals_of
from skerry.platform.projects.quota.resources import counted, not_counted
from skerry.platform.projects.quota.table import LONGEST_WRITE
from skerry.platform.projects.types import PROJECTS, TIERS

_PAUSE = 0.5  # seconds; of what happens within, one status is written
HELD = "QuotaHeld"


class QuotaReport(Controller):
    """One project at a time."""

    name = "project quota"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._teller = context.client.managing("skerry-quota")
        self._ledger, self._refusals = ledger_of(context), refusals_of(context)
        self._projects, self._tiers = context.informers.of(PROJECTS), context.informers.of(TIERS)
        self._ledger.on_change(self._later)
        self._refusals.on_change(self._later)
        self._projects.add_handler(self._project_changed)
        self._tiers.add_handler(self._tier_changed)

    async def reconcile(self, key: str) -> float | None:
        """Write what is the case."""
        project = self._projects.get(key)
        if project is None:
            return None
        try:
            hard = allowance(project, self._tiers.get(tier_of(project))).hard
        except Ungranted as error:
            await self._write(project, (Condition(HELD, False, "NotGranted", str(error)),), None)
            return None
        await self._ledger.ready(key, counted(hard))
        used = self._ledger.used_by_names(key, hard)
        refused = self._refusals.of(key, used, hard)
        await self._write(project, (_held(hard), exceeded(refused)), amounts_of(hard, used))
        if any(self._ledger.coming(key, resource) for resource in counted(hard)):
            return LONGEST_WRITE.total_seconds()
        return FORGOTTEN_AFTER.total_seconds() if refused else None

    async def _write(self, project: Obj, conditions: tuple[Condition, ...], quota: Obj | None) -> None:
        """A condition that never was otherwise is not mentioned."""
        said = tuple(one for one in conditions if _is_news(project, one))
        context = self._context
        await apply_status(self._teller, context.clock, PROJECTS, project, said, quota=quota)

    def _later(self, project: str) -> None:
        self.queue.add_after(project, _PAUSE)

    def _project_changed(self, delta: Delta) -> None:
        if delta.new is not None and _said(delta.old) != _said(delta.new):
            self._later(name_of(delta.new))

    def _tier_changed(self, delta: Delta) -> None:
        for project in self._projects.list():
            if tier_of(project) == name_of(delta.object):
                self._later(name_of(project))


def amounts_of(hard: Mapping[str, Amount], used: Amounts) -> Obj:
    """`status.quota`: of what is held across namespaces."""
    theirs = [name for name in sorted(hard) if counted([name])]
    return {name: {"used": str(used.get(name, ZERO)), "hard": str(hard[name])} for name in theirs}


def exceeded(refused: list[Refused]) -> Condition:
    """The condition that stays until what was refused would fit."""
    if not refused:
        return Condition(REASON, False, "WithinQuota")
    newest = refused[-1]
    more = f" ({len(refused) - 1} more were refused)" if len(refused) > 1 else ""
    return Condition(REASON, True, "Refused", f"{newest.what} was refused: {newest.message}{more}")


def _held(hard: Mapping[str, Amount]) -> Condition:
    names = not_counted(hard)
    if not names:
        return Condition(HELD, True, "Held")
    return Condition(
        HELD, False, "NotHeldAcrossNamespaces", f"held in each namespace alone, not as one number: {', '.join(names)}"
    )


def _is_news(project: Obj, one: Condition) -> bool:
    as_it_should_be = one.is_true if one.type == HELD else not one.is_true
    return not as_it_should_be or condition_of(project, one.type) is not None


def _said(project: Obj | None) -> object:
    """What is asked of a project, and what the status says of its quota: others may have written over it."""
    return (project["spec"], (project.get("status") or {}).get("quota")) if project is not None else None
