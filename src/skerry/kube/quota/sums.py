"""What the objects of one resource in one namespace use together, by the scopes of whoever asks. Pure.

Sums are kept and brought up to date object by object: with every pod that comes or goes somebody asks, and the
hundreds beside it have not changed. Of a pod that is going away time decides, so it is looked at each time. Neighbours:
`usage` (what one object uses), `scopes`. Times are handed in.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from skerry.kube.objects import Obj
from skerry.kube.quota.amounts import Amount, Amounts, added, reduced
from skerry.kube.quota.scopes import Scope, within
from skerry.kube.quota.usage import given_up_at, is_charged, usage

Scopes = tuple[Scope, ...]


class _Counted(NamedTuple):
    obj: Obj
    uses: Amounts


class Sums:
    """Of one resource ("pods", "deployments.apps") in one namespace."""

    def __init__(self, resource: str) -> None:
        self._resource = resource
        self._objects: dict[str, _Counted] = {}
        self._totals: dict[Scopes, dict[str, Amount]] = {}
        self._leaving: set[str] = set()
        """Pods that stop counting when their time is over, whether or not anything changes."""

    def put(self, name: str, obj: Obj | None, now: datetime) -> None:
        """What there is under a name; None: nothing any more."""
        old = self._objects.pop(name, None)
        self._leaving.discard(name)
        new = _Counted(obj, usage(self._resource, obj, now)) if obj is not None else None
        if new is not None:
            self._objects[name] = new
            if self._resource == "pods" and given_up_at(new.obj) is not None:
                self._leaving.add(name)
        for scopes in self._totals:
            self._shift(scopes, old, new)

    def total(self, scopes: Scopes, now: datetime) -> Amounts:
        """The sum of what is within scopes."""
        for name in tuple(self._leaving):
            self.put(name, self._objects[name].obj, now)
        if scopes not in self._totals:
            self._totals[scopes] = {}
            for each in self._objects.values():
                self._shift(scopes, None, each)
        return self._totals[scopes]

    def next_end(self, now: datetime) -> datetime | None:
        """When the next pod that is going away stops counting, None when none is."""
        leaving = (self._objects[name].obj for name in self._leaving)
        ends = (given_up_at(pod) for pod in leaving if is_charged(pod, now))
        return min((one for one in ends if one is not None), default=None)

    def _shift(self, scopes: Scopes, old: _Counted | None, new: _Counted | None) -> None:
        total = self._totals[scopes]
        if old is not None and within(scopes, self._resource, old.obj):
            total = reduced(total, old.uses)
        if new is not None and within(scopes, self._resource, new.obj):
            total = added(total, new.uses)
        self._totals[scopes] = total
