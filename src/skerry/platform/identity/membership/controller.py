"""Asks providers about everybody who is signed in, every half a minute: what they are members of, and whether they are
still to be let in. Who is not loses all sessions; everything else follows from the groups, at once, on every way in.

A provider that does not answer changes nothing: what it said last holds until it says something else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from skerry.kube.controller import Controller
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, name_of
from skerry.platform.base.capability import Context
from skerry.platform.identity.login.methods import Provider
from skerry.platform.identity.login.people import people_of
from skerry.platform.identity.membership.source import Source
from skerry.platform.identity.naming import object_name
from skerry.platform.identity.rules.rules import groups_of
from skerry.platform.identity.rules.told import Told
from skerry.platform.identity.sessions.judging import is_over
from skerry.platform.identity.sessions.sessions import sessions_of
from skerry.platform.identity.types import IDENTITY_PROVIDERS, LOCAL, SESSIONS, USERS, IdentityProviderSpec
from skerry.platform.identity.vouching import Forged, NotVouched, ProviderDown

log = logging.getLogger(__name__)

INTERVAL = 30.0
"""Seconds after which a person is asked about again; an answer takes up to ten."""
_AGAIN = 10.0


class MembershipController(Controller):
    """One User at a time, by the object's name."""

    name = "membership"
    workers = 8

    def __init__(self, context: Context, sources: Mapping[str, Source], is_down: Callable[[str], None]) -> None:
        """`sources`: by the provider's type; `is_down`: told the name of a provider that does not answer."""
        super().__init__()
        self._clock, self._sources, self._is_down = context.clock, sources, is_down
        self._sessions, self._people = sessions_of(context), people_of(context)
        self._users = context.informers.of(USERS)
        self._providers = context.informers.of(IDENTITY_PROVIDERS)
        self._deleted: dict[str, Obj] = {}
        context.informers.of(SESSIONS).add_handler(self._session_changed)
        self._users.add_handler(self._user_changed)
        self._providers.add_handler(self._provider_changed)

    async def reconcile(self, key: str) -> float | None:
        """Ask, and note the answer. Returns when to ask again."""
        deleted = self._deleted.pop(key, None)
        user = self._users.get(key) or deleted
        subject = user["spec"].get("subject") if user else ""
        name = user["spec"].get("provider", LOCAL) if user else LOCAL
        if user is None or not subject or name == LOCAL:
            return None
        found = self._providers.get(name)
        if found is None:
            await self._out(user, "its IdentityProvider is gone")
            return None
        provider = Provider(name, IdentityProviderSpec.of(found["spec"]))
        source = self._sources.get(provider.spec.type)
        if source is None:
            return None
        if user is deleted or not self._is_signed_in(user["spec"]["username"]):
            return await source.forget(provider, subject, at_once=user is deleted)
        return await self._asked(source, provider, user)

    async def close(self) -> None:
        """Stop, and let connections go."""
        await super().close()
        for source in self._sources.values():
            await source.close()

    async def _asked(self, source: Source, provider: Provider, user: Obj) -> float | None:
        subject = user["spec"]["subject"]
        try:
            told = await source.now(provider, subject)
        except NotVouched as gone:
            await self._out(user, str(gone))
            await source.forget(provider, subject, at_once=True)
            return None
        except (ProviderDown, Forged, ValueError) as error:
            log.debug("%s: nothing is known about %s now: %s", provider.name, user["spec"]["username"], error)
            self._is_down(provider.name)
            return _AGAIN
        await self._note(user["spec"]["username"], provider, told)
        return INTERVAL

    async def _note(self, username: str, provider: Provider, told: Told) -> None:
        """The groups first: they are what counts."""
        await self._people.told(username, groups_of(told, provider.spec))
        said = {"entitlements": list(told.entitlements), "groups": list(told.groups)}
        await self._people.note(username, told=said)

    async def _out(self, user: Obj, why: str) -> None:
        username = user["spec"]["username"]
        log.info("%s is signed out everywhere: %s", username, why)
        await self._people.told(username, ())
        await self._sessions.close_all(username)

    def _is_signed_in(self, username: str) -> bool:
        now = self._clock.now()
        return any(not is_over(one, now) for one in self._sessions.of_user(username))

    def _session_changed(self, delta: Delta) -> None:
        """Uses are noted in Sessions all the time; only beginning and end matter."""
        if delta.old is None or delta.new is None:
            self.queue.add(object_name(delta.object["spec"]["user"]))

    def _user_changed(self, delta: Delta) -> None:
        if delta.new is None:
            self._deleted[name_of(delta.object)] = delta.object
            self.queue.add(name_of(delta.object))

    def _provider_changed(self, delta: Delta) -> None:
        """Other rules count at once, for those who are signed in."""
        if delta.old is not None and (delta.new is None or delta.old["spec"] != delta.new["spec"]):
            for user in self._users.list():
                if user["spec"].get("provider") == name_of(delta.object):
                    self.queue.add(name_of(user))
