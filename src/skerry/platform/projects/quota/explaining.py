"""The words of a refusal. Who uses the rest is looked up once in a while: many may be refused the same at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from skerry.kube.clock import Clock
from skerry.kube.objects import Resource
from skerry.platform.projects.quota.judging import Excess, refusal, used_by
from skerry.platform.projects.quota.ledger import Ledger

_GOOD_FOR = timedelta(seconds=2)
_MOST = 1000

_Asked = tuple[str, Resource, str]


class Explaining:
    """For all projects."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._known: dict[_Asked, tuple[datetime, str]] = {}

    def message(self, project: str, resource: Resource, over: list[Excess]) -> str:
        """Why it does not fit, for people."""
        users = {one.name: self._users(project, resource, one.name) for one in over}
        return refusal(project, over, users, self._ledger.coming(project, resource))

    def _users(self, project: str, resource: Resource, name: str) -> str:
        now = self._clock.steady()
        known = self._known.get((project, resource, name))
        if known is not None and known[0] > now:
            return known[1]
        if len(self._known) >= _MOST:
            self._known.clear()
        text = used_by(name, list(self._ledger.entries(project, resource)))
        self._known[project, resource, name] = (now + _GOOD_FOR, text)
        return text
