"""Sessions opened, recognised, prolonged and closed. Everybody in this capability who has to know who asks asks here.

They live in the API as Session objects, by hashes of their tokens. `person_of` answers from caches, so that it can be
asked for every request. Invariants: what is opened is recognised when `open` returns, what is closed is refused when
`close` returns; a refresh token is good for one use, and whoever presents a used one ends the session (RFC 9700, 4.14).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from skerry.kube.clock import rfc3339
from skerry.kube.errors import Invalid, NotFound
from skerry.kube.objects import Obj, name_of, uid_of
from skerry.kube.records import record
from skerry.platform.base.capability import Context
from skerry.platform.base.kinds import resource_of
from skerry.platform.identity.naming import object_name
from skerry.platform.identity.seeing import Sight
from skerry.platform.identity.sessions.judging import Person, groups_of, is_of, is_over, is_welcome, person_in
from skerry.platform.identity.sessions.tokens import digest, new_token
from skerry.platform.identity.types import GROUPS, SESSIONS, USERS, Scope

log = logging.getLogger(__name__)

PROJECTS = resource_of("projects", "Project", namespaced=False)
_LIFETIMES = {"Browser": timedelta(hours=12), "CommandLine": timedelta(days=7), "Program": timedelta(days=30)}
_LONGEST = timedelta(days=366)
_ACCESS = timedelta(minutes=15)  # of a command line's token, which is refreshed
_GRACE = timedelta(seconds=30)  # an answer that was lost, or two kubectl at the same time, are no theft


@record
class Wanted:
    """A session that is to be opened."""

    user: str
    """The username."""
    kind: str
    """Browser, CommandLine, Program."""
    lifetime: timedelta | None = None
    """None: 12 hours, 7 days, 30 days. At most a year."""
    scope: Scope | None = None
    """Of a Program."""
    description: str = ""


@record
class Opened:
    """The only place where the tokens themselves are: give them away, keep them nowhere."""

    name: str
    access: str
    refresh: str
    """"" where the token lasts as long as the session: browsers, programs."""
    expires: datetime
    """Of the access token."""


class SessionRefused(Exception):
    """Why no session is opened or prolonged; the text is for the person."""


class Sessions:
    """All there are. One for the whole platform: `sessions_of(context)`."""

    def __init__(self, context: Context) -> None:
        self._client, self._clock = context.client, context.clock
        self._sessions = context.informers.of(SESSIONS)
        self._users = context.informers.of(USERS)
        self._groups = context.informers.of(GROUPS)
        self._projects = context.informers.of(PROJECTS)
        self._sessions.add_index("token", _tokens)
        self._sessions.add_index("refresh", _refresh_tokens)
        self._sessions.add_index("user", lambda one: (one["spec"]["user"],))
        self._groups.add_index("member", lambda one: one["spec"].get("members") or ())
        self._sight = Sight(self._sessions)
        self._on_use: list[Callable[[str], None]] = []

    def person_of(self, token: str) -> Person | None:
        """Whom an access token stands for now; None: nobody (unknown, over, the person disabled, removed)."""
        found = self._sessions.by_index("token", digest(token))
        person = self._person(found[0]) if found else None
        if person is not None:
            for told in self._on_use:
                told(person.session)
        return person

    def still(self, session: str) -> Person | None:
        """Whom a session stands for now, for what has been running since its token was shown (streams).

        An access token that ends meanwhile does not end what it began; the session's end does."""
        found = self._sessions.get(session)
        if found is None:
            return None
        spec = found["spec"]
        return self._person({**found, "spec": {**spec, "tokenExpires": spec["expires"]}})

    def groups_of(self, username: str) -> tuple[str, ...]:
        """What a person is a member of now."""
        user = self._users.get(object_name(username))
        return groups_of(user, self._groups.by_index("member", username)) if user else ()

    async def open(self, wanted: Wanted) -> Opened:
        """A new session. Raises SessionRefused (no such user, disabled, lifetime), StatusError."""
        user = self._users.get(object_name(wanted.user))
        if not is_welcome(user) or user["spec"]["username"] != wanted.user:
            raise SessionRefused(f"{wanted.user} is not known here, or disabled")
        lifetime = wanted.lifetime or _LIFETIMES[wanted.kind]
        if not timedelta() < lifetime <= _LONGEST:
            raise SessionRefused(f"a session lasts up to {_LONGEST.days} days")
        access, refresh = _new_tokens(wanted.kind)
        expires = self._clock.now() + lifetime
        spec: Obj = {
            "user": wanted.user,
            "userUid": uid_of(user),
            "kind": wanted.kind,
            "description": wanted.description[:200],
            "expires": rfc3339(expires),
            **_hashes(access, refresh, min(expires, self._clock.now() + _ACCESS) if refresh else expires),
        }
        if wanted.scope is not None:
            spec["scope"] = wanted.scope.dump()
        return await self._opened(spec, access, refresh)

    async def refresh(self, refresh: str) -> Opened:
        """New tokens for the old refresh token, which is used up. Raises SessionRefused, StatusError."""
        hashed, now = digest(refresh), self._clock.now()
        found = self._sessions.by_index("refresh", hashed)
        if not found or is_over(found[0], now) or not self._is_welcome(found[0]):
            raise SessionRefused("signed out, or the session is over: sign in again (skerry login)")
        session, spec = found[0], found[0]["spec"]
        if spec.get("refreshSha256") != hashed and _is_reuse(spec, now):
            log.warning("session %s of %s: a used refresh token came again; closed", name_of(session), spec["user"])
            await self.close(name_of(session))
            raise SessionRefused("this refresh token was used before: the session is closed, sign in again")
        return await self._prolonged(session)

    async def close(self, name: str) -> None:
        """End a session; nobody is recognised by it when this returns. Harmless twice. Raises StatusError."""
        with suppress(NotFound):
            await self._client.delete(SESSIONS, name)
        await self._sight.until(name, lambda one: one is None)

    async def close_by_token(self, token: str) -> None:
        """End the session that an access or refresh token is of, if there is one (RFC 7009). Raises StatusError."""
        hashed = digest(token)
        for index in ("token", "refresh"):
            for one in self._sessions.by_index(index, hashed):
                await self.close(name_of(one))

    async def close_all(self, username: str) -> None:
        """End all sessions of a person. Raises StatusError."""
        for one in self.of_user(username):
            await self.close(name_of(one))

    def of_user(self, username: str) -> Iterable[Obj]:
        """The Session objects of a person, programs' included."""
        return list(self._sessions.by_index("user", username))

    def on_use(self, told: Callable[[str], None]) -> None:
        """Have `told` called with a session's name whenever its token is used. It must be quick."""
        self._on_use.append(told)

    def _person(self, session: Obj) -> Person | None:
        spec = session["spec"]
        user = self._users.get(object_name(spec["user"]))
        if user is None:
            return None
        groups = groups_of(user, self._groups.by_index("member", spec["user"]))
        project = self._projects.get(spec["scope"]["project"]) if spec.get("scope") else None
        return person_in(session, user, groups, project, self._clock.now())

    def _is_welcome(self, session: Obj) -> bool:
        return is_of(session, self._users.get(object_name(session["spec"]["user"])))

    async def _opened(self, spec: Obj, access: str, refresh: str) -> Opened:
        whole = {
            "apiVersion": SESSIONS.api_version,
            "kind": SESSIONS.kind,
            "metadata": {"name": f"{spec['kind'].lower()}-{secrets.token_hex(8)}"},
            "spec": spec,
        }
        made = await self._client.create(SESSIONS, whole)
        return await self._seen(made, access, refresh)

    async def _prolonged(self, session: Obj) -> Opened:
        """Another use of the same token at the same moment fails: the patch says what it was made for."""
        spec, now = session["spec"], self._clock.now()
        access, refresh = _new_tokens(spec["kind"])
        new = {
            **_hashes(access, refresh, min(now + _ACCESS, _moment(spec["expires"]))),
            "previousRefreshSha256": spec["refreshSha256"],
            "refreshed": rfc3339(now),
        }
        patch: list[Obj] = [{"op": "test", "path": "/spec/refreshSha256", "value": spec["refreshSha256"]}]
        patch += [{"op": "add", "path": f"/spec/{field}", "value": value} for field, value in new.items()]
        try:
            made = await self._client.patch(SESSIONS, name_of(session), patch, kind="json")
        except (Invalid, NotFound):
            raise SessionRefused("refreshed or ended elsewhere at the same moment: try again") from None
        return await self._seen(made, access, refresh)

    async def _seen(self, made: Obj, access: str, refresh: str) -> Opened:
        await self._sight.written(made)
        return Opened(name_of(made), access, refresh, _moment(made["spec"]["tokenExpires"]))


def sessions_of(context: Context) -> Sessions:
    """The one that all parts of the capability share."""
    return context.once(Sessions, lambda: Sessions(context))


def _tokens(session: Obj) -> Iterable[str]:
    return (session["spec"]["tokenSha256"],)


def _refresh_tokens(session: Obj) -> Iterable[str]:
    spec = session["spec"]
    return [hashed for key in ("refreshSha256", "previousRefreshSha256") if (hashed := spec.get(key))]


def _new_tokens(kind: str) -> tuple[str, str]:
    return new_token("sky"), new_token("skr") if kind == "CommandLine" else ""


def _hashes(access: str, refresh: str, expires: datetime) -> Obj:
    hashes = {"tokenSha256": digest(access), "tokenExpires": rfc3339(expires)}
    return {**hashes, "refreshSha256": digest(refresh)} if refresh else hashes


def _is_reuse(spec: Obj, now: datetime) -> bool:
    """Whether it is too late for the last refresh token but one."""
    return now - _moment(spec["refreshed"]) > _GRACE


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
