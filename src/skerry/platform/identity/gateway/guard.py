"""Whether what is under way may go on: streams last, rights do not.

A stream is looked at as soon as anything about its session or person changes, and in any case every few seconds,
because roles and bindings change without us: its session must still stand for somebody, and Kubernetes must still allow
that person what was begun. When nobody can be asked any more it ends too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

from skerry.kube.errors import StatusError
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, name_of
from skerry.kube.records import record
from skerry.platform.base.access import SUBJECT_ACCESS_REVIEWS
from skerry.platform.base.capability import Context
from skerry.platform.identity.gateway.asking import extra_of
from skerry.platform.identity.sessions.judging import Person
from skerry.platform.identity.sessions.sessions import PROJECTS, Sessions
from skerry.platform.identity.types import GROUPS, SESSIONS, USERS

log = logging.getLogger(__name__)

SECONDS = 10.0  # between two looks
_UNANSWERED = timedelta(seconds=30)
_AUTHENTICATED = "system:authenticated"


@record
class Underway:
    """What somebody began."""

    person: Person
    """As it was then."""
    attributes: Obj
    """What it does: `attributes.attributes_of`."""


class Guard:
    """Of all that passes the gateway."""

    def __init__(self, context: Context, sessions: Sessions) -> None:
        self._client, self._clock, self._sessions = context.client, context.clock, sessions
        self._woken: dict[str, set[asyncio.Event]] = {}
        """By session."""
        context.informers.of(SESSIONS).add_handler(lambda delta: self._wake((name_of(delta.object),)))
        context.informers.of(USERS).add_handler(self._user_changed)
        for resource in (GROUPS, PROJECTS):
            context.informers.of(resource).add_handler(lambda _: self._wake(list(self._woken)))

    async def ended(self, underway: Underway) -> str:
        """Returns why it must end, when it must."""
        name, woken = underway.person.session, asyncio.Event()
        self._woken.setdefault(name, set()).add(woken)
        try:
            return await self._refused(underway, woken)
        finally:
            self._woken[name].discard(woken)
            if not self._woken[name]:
                del self._woken[name]

    async def _refused(self, underway: Underway, woken: asyncio.Event) -> str:
        asked, groups = self._clock.steady(), underway.person.groups
        while True:
            was_woken = await _set_within(woken, SECONDS)
            woken.clear()
            person = self._sessions.still(underway.person.session)
            if person is None:
                return "the session is over"
            if was_woken and person.groups == groups:
                continue
            try:
                if refusal := await self._refusal(person, underway.attributes):
                    return refusal
                asked, groups = self._clock.steady(), person.groups
            except (StatusError, OSError) as error:
                log.warning("whether %s may go on is not known: %s", person.user, error)
                if self._clock.steady() - asked > _UNANSWERED:
                    return "whether it is still allowed could not be asked"

    async def _refusal(self, person: Person, attributes: Obj) -> str:
        spec: Obj = {
            "user": person.user,
            "groups": [*person.groups, _AUTHENTICATED],
            "extra": {key: [value] for key, value in extra_of(person).items()},
            **attributes,
        }
        answer = (await self._client.create(SUBJECT_ACCESS_REVIEWS, {"spec": spec}))["status"]
        if answer.get("allowed"):
            return ""
        return f"{person.user} may not do this any more" + (f": {answer['reason']}" if answer.get("reason") else "")

    def _user_changed(self, delta: Delta) -> None:
        self._wake(name_of(one) for one in self._sessions.of_user(delta.object["spec"]["username"]))

    def _wake(self, sessions: Iterable[str]) -> None:
        for name in sessions:
            for one in self._woken.get(name, ()):
                one.set()


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
            return True
    return False
