"""A PriorityClass for every tier whose pods go before or after others."""

from __future__ import annotations

from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import PRIORITY_CLASSES
from skerry.platform.base.applying import apply
from skerry.platform.base.capability import Context
from skerry.platform.projects.tiers import tier_class
from skerry.platform.projects.types import TIERS, TierSpec

TIER_LABEL = "skerry.dev/tier"


class TierController(Controller):
    """One tier at a time."""

    name = "tiers"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._tiers = context.informers.of(TIERS)
        self._classes = context.informers.of(PRIORITY_CLASSES)
        self.watch(self._tiers)
        self.watch(self._classes, lambda one: filter(None, [one["metadata"].get("labels", {}).get(TIER_LABEL)]))

    async def reconcile(self, key: str) -> float | None:
        """Make, change or remove the class of one tier. A value cannot be changed: the class is made anew."""
        tier, there = self._tiers.get(key), self._classes.get(tier_class(key))
        priority = TierSpec.of(tier["spec"]).priority if tier is not None else 0
        if there is not None and there.get("value") != priority:
            await self._delete(name_of(there))
        elif there is None and priority:
            await apply(self._client, PRIORITY_CLASSES, _class(key, priority))
        return None

    async def _delete(self, name: str) -> None:
        try:
            await self._client.delete(PRIORITY_CLASSES, name)
        except NotFound:
            return


def _class(tier: str, priority: int) -> Obj:
    return {
        "metadata": {"name": tier_class(tier), "labels": {TIER_LABEL: tier}},
        "value": priority,
        "description": f"Pods of projects of tier {tier}.",
    }
