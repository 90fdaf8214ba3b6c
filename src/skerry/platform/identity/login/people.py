"""People as providers tell of them, and the Users they become. Everybody who signs somebody in comes through here.

A username belongs to the provider and subject that had it first: who comes with the same name from elsewhere is
refused, and who is renamed at the provider keeps the name that projects and the audit log know.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.clock import rfc3339
from skerry.kube.errors import AlreadyExists, Conflict
from skerry.kube.objects import Obj, name_of
from skerry.kube.records import record
from skerry.platform.base.capability import Context
from skerry.platform.identity.naming import may_be_a_group, may_be_a_user, object_name
from skerry.platform.identity.seeing import Sight
from skerry.platform.identity.sessions.judging import is_welcome
from skerry.platform.identity.types import LOCAL, USERS, UserSpec

_ATTEMPTS = 5


@record
class Identity:
    """Somebody whom a provider vouches for."""

    provider: str
    """The IdentityProvider's name."""
    subject: str
    """What the provider calls the person, for good."""
    username: str
    """The name wished for, with the provider's prefix; counts at the first time only."""
    display_name: str = ""
    email: str = ""
    groups: tuple[str, ...] | None = None
    """By the rules; None: the provider keeps none (nothing is changed)."""
    uid_number: int | None = None
    gid_number: int | None = None


class SignInRefused(Exception):
    """Why somebody is not let in; the text is for the person."""


class People:
    """The Users there are. One for the whole platform: `people_of(context)`."""

    def __init__(self, context: Context) -> None:
        self._client, self._clock = context.client, context.clock
        self._users = context.informers.of(USERS)
        self._users.add_index("subject", _subjects)
        self._sight = Sight(self._users)

    def find(self, provider: str, subject: str) -> Obj | None:
        """The User that a provider calls so."""
        found = self._users.by_index("subject", _subject_key(provider, subject))
        return found[0] if found else None

    def get(self, username: str) -> Obj | None:
        """The User of this name."""
        found = self._users.get(object_name(username))
        return found if found is not None and found["spec"]["username"] == username else None

    async def signed_in(self, identity: Identity) -> str:
        """Note that somebody came, and who; the username. Raises SignInRefused, StatusError."""
        for _ in range(_ATTEMPTS):
            known = self.find(identity.provider, identity.subject) or self.get(identity.username)
            try:
                user = await self._known(known, identity) if known else await self._new(identity)
            except (Conflict, AlreadyExists):  # somebody was faster: have the cache show it, and look again
                await self._sight.until(object_name(identity.username), lambda one, old=known: one != old)  # type: ignore[misc]
                continue
            status = {"lastLogin": rfc3339(self._clock.now()), "failedLogins": 0, "lockedUntil": None}
            await self._noted(user, {**status, **_groups(identity.groups)})
            return str(user["spec"]["username"])
        raise SignInRefused(f"{identity.username} is changed by others at the same time: try again")

    async def told(self, username: str, groups: Iterable[str]) -> None:
        """What a provider says now of somebody's groups, by the rules. Returns when it counts. Raises StatusError."""
        user = self.get(username)
        if user is not None:
            await self._noted(user, _groups(tuple(groups)))

    async def note(self, username: str, **status: object) -> None:
        """Write fields of a User's status; None takes one away. Raises StatusError."""
        user = self.get(username)
        if user is not None:
            await self._noted(user, status)

    async def make(self, spec: UserSpec) -> Obj:
        """A User that was not there. Returns when it can sign in. Raises SignInRefused (the name), StatusError."""
        if not may_be_a_user(spec.username):
            raise SignInRefused(f"{spec.username}: usernames that begin with system: or skerry: are not people's")
        name = object_name(spec.username)
        whole = {"apiVersion": USERS.api_version, "kind": USERS.kind, "metadata": {"name": name}, "spec": spec.dump()}
        made = await self._client.create(USERS, whole)
        await self._sight.written(made)
        return made

    async def _new(self, identity: Identity) -> Obj:
        return await self.make(
            UserSpec(
                username=identity.username,
                provider=identity.provider,
                subject=identity.subject,
                display_name=identity.display_name,
                email=identity.email,
                disabled=False,
                uid_number=identity.uid_number,
                gid_number=identity.gid_number,
            )
        )

    async def _known(self, user: Obj, identity: Identity) -> Obj:
        spec = user["spec"]
        if not _is_theirs(spec, identity):
            raise SignInRefused(
                f"the name {identity.username} belongs to somebody who signs in elsewhere: ask an operator for another"
            )
        if not is_welcome(user):
            raise SignInRefused(f"the account {spec['username']} is disabled: ask an operator")
        wanted = {**spec, **_told(identity)}
        return await self._client.update(USERS, {**user, "spec": wanted}) if wanted != spec else user

    async def _noted(self, user: Obj, status: Obj) -> None:
        told = {name: value for name, value in status.items() if value != (user.get("status") or {}).get(name)}
        if not told:
            return
        written = await self._client.patch(USERS, name_of(user), {"status": told}, subresource="status")
        await self._sight.written(written)


def people_of(context: Context) -> People:
    """The one that all parts of the capability share."""
    return context.once(People, lambda: People(context))


def _is_theirs(spec: Obj, identity: Identity) -> bool:
    """Whether a User is of this provider and subject; one that operators made without a subject is of who comes
    first by its name."""
    return spec.get("provider") == identity.provider and (spec.get("subject") or identity.subject) == identity.subject


def _subjects(user: Obj) -> Iterable[str]:
    """The key of one that has a subject, or, with a password here, is its own."""
    spec = user["spec"]
    provider = spec.get("provider") or LOCAL
    subject = spec.get("subject") or (spec["username"] if provider == LOCAL else "")
    return (_subject_key(provider, subject),) if subject else ()


def _subject_key(provider: str, subject: str) -> str:
    return f"{provider}\n{subject}"


def _told(identity: Identity) -> Obj:
    told = {
        "subject": identity.subject,
        "displayName": identity.display_name,
        "email": identity.email,
        "uidNumber": identity.uid_number,
        "gidNumber": identity.gid_number,
    }
    return {name: value for name, value in told.items() if value}


def _groups(groups: tuple[str, ...] | None) -> Obj:
    return {} if groups is None else {"groups": sorted({one for one in groups if may_be_a_group(one)})}
