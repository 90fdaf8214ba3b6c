"""Keeps Sessions in order: those that are over go, those of people who are gone or disabled too; when one was used.

`Sessions.person_of` refuses all of these by itself, at once; here they are put away.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.clock import parse_time, rfc3339
from skerry.kube.controller import Controller
from skerry.kube.objects import Obj, name_of
from skerry.platform.base.capability import Context
from skerry.platform.identity.naming import object_name
from skerry.platform.identity.sessions.judging import is_of, is_over
from skerry.platform.identity.sessions.sessions import Sessions
from skerry.platform.identity.types import SESSIONS, USERS

_SECONDS_BETWEEN_NOTES = 60.0


class SessionController(Controller):
    """One session at a time."""

    name = "sessions"
    workers = 2

    def __init__(self, context: Context, sessions: Sessions) -> None:
        super().__init__()
        self._client, self._clock, self._all = context.client, context.clock, sessions
        self._sessions = context.informers.of(SESSIONS)
        self._users = context.informers.of(USERS)
        self._used: set[str] = set()
        self.watch(self._sessions)
        self.watch(self._users, self._of_user)
        sessions.on_use(self._note)

    async def reconcile(self, key: str) -> float | None:
        """Put it away, or note its use. Returns when it ends."""
        session = self._sessions.get(key)
        if session is None:
            self._used.discard(key)
            return None
        now = self._clock.now()
        if is_over(session, now) or not is_of(session, self._users.get(object_name(session["spec"]["user"]))):
            await self._all.close(key)
            return None
        if key in self._used:
            self._used.discard(key)
            status = {**(session.get("status") or {}), "lastUsed": rfc3339(now)}
            await self._client.update(SESSIONS, {**session, "status": status}, "status")
        return (parse_time(session["spec"]["expires"]) - now).total_seconds()

    def _of_user(self, user: Obj) -> Iterable[str]:
        return [name_of(one) for one in self._all.of_user(user["spec"]["username"])]

    def _note(self, name: str) -> None:
        session = self._sessions.get(name)
        last = ((session or {}).get("status") or {}).get("lastUsed")
        if last and (self._clock.now() - parse_time(last)).total_seconds() < _SECONDS_BETWEEN_NOTES:
            return
        if name not in self._used:
            self._used.add(name)
            self.queue.add(name)
