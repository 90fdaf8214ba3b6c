"""What somebody may do and see, as the cluster says it: asked by SubjectAccessReview and remembered for seconds.

Pages that list read the platform's caches (a thousand releases would be slow to fetch for each page), and show of them
what the person may list or get. Single objects and all writes go through the person's own client instead.
Invariant: an answer is remembered for one person with exactly these groups, no longer than `_SECONDS`.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta

from skerry.kube.client import Client
from skerry.kube.clock import Clock
from skerry.platform.base.access import Action, may
from skerry.platform.identity.sessions.judging import Person

_SECONDS = 10
_REMEMBERED = 50_000
_Question = tuple[str, tuple[str, ...], Action]


class Rights:
    """One for the whole portal."""

    def __init__(self, client: Client, clock: Clock) -> None:
        """`client`: of an account that may ask (`access.MAY_ASK`)."""
        self._client, self._clock = client, clock
        self._known: OrderedDict[_Question, tuple[bool, datetime]] = OrderedDict()

    async def may(self, person: Person, action: Action) -> bool:
        """Whether the cluster allows it. Raises StatusError, OSError."""
        question = (person.user, person.groups, action)
        known = self._known.get(question)
        now = self._clock.steady()
        if known is not None and known[1] > now:
            return known[0]
        groups = (*person.groups, "system:authenticated")
        allowed = await may(self._client, person.user, groups, action)
        self._known[question] = (allowed, now + timedelta(seconds=_SECONDS))
        self._known.move_to_end(question)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return allowed

    async def which(self, person: Person, actions: Iterable[Action]) -> list[Action]:
        """Those that are allowed."""
        asked = list(actions)
        answers = await asyncio.gather(*(self.may(person, one) for one in asked))
        return [one for one, allowed in zip(asked, answers, strict=True) if allowed]
