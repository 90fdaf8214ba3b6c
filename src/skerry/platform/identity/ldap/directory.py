"""One directory, on any of its servers: who somebody is, whether a password is right, what somebody is a member of.

Lookups share one connection and one thread, in order; every password is tried on a connection of its own. A connection
that breaks is made anew, on the next server where one does not answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from skerry.platform.identity.ldap import entries
from skerry.platform.identity.ldap.entries import Entry
from skerry.platform.identity.ldap.library import LDAPException, connect, let_go, problem_in
from skerry.platform.identity.rules.told import MOST, Told
from skerry.platform.identity.types import LdapSettings
from skerry.platform.identity.vouching import NotVouched, ProviderDown

_T = TypeVar("_T")

_AT_ONCE = 50
"""Groups in one filter."""
_PASSWORDS_AT_ONCE = 4
_GONE = "the directory does not know you any more, or you may not sign in"


class Directory:
    """For one IdentityProvider, as long as its settings are the same."""

    def __init__(self, settings: LdapSettings, secret: str) -> None:
        """`secret`: of `settings.bind_dn`. Raises ValueError: settings that cannot be."""
        if problem := problem_in(settings):
            raise ValueError(problem)
        self.settings, self.secret = settings, secret
        self._connection: Any = None
        self._answered = ""
        self._lookups = ThreadPoolExecutor(1, thread_name_prefix="ldap")
        self._passwords = ThreadPoolExecutor(_PASSWORDS_AT_ONCE, thread_name_prefix="ldap-password")

    async def check(self) -> None:
        """Returns when people can be looked up. Raises ProviderDown."""
        await self._looked_up(lambda: self._search(self.settings.user_base, "(objectClass=*)", ["1.1"], only_base=True))

    async def sign_in(self, username: str, password: str) -> Told | None:
        """Who it is; None: name or password is wrong. Raises NotVouched: too little is known; ProviderDown."""
        if not username or not password:  # a bind without a password succeeds, and proves nothing (RFC 4513, 5.1.2)
            return None
        person = await self._looked_up(lambda: self._person(entries.by_name(self.settings, username)))
        # also for nobody: who is known cannot be told by the time it takes
        dn = person.dn if person else f"cn=nobody,{self.settings.user_base}"
        loop = asyncio.get_running_loop()
        is_right = await loop.run_in_executor(self._passwords, lambda: self._is_right(dn, password))
        if not is_right or person is None:
            return None
        known = person
        return await self._looked_up(lambda: entries.told_of(known, self._groups(known), self.settings))

    async def now(self, subject: str) -> Told:
        """What is so now of somebody who is known. Raises NotVouched: the person is gone; ProviderDown."""

        def look() -> Told:
            person = self._person(entries.by_subject(self.settings, subject))
            if person is None:
                raise NotVouched(_GONE)
            return entries.told_of(person, self._groups(person), self.settings)

        return await self._looked_up(look)

    async def close(self) -> None:
        """Let the connection and threads go."""
        self._lookups.submit(self._drop)
        for pool in (self._lookups, self._passwords):
            await asyncio.to_thread(pool.shutdown)

    async def _looked_up(self, look: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._lookups, lambda: self._twice(look))

    def _twice(self, look: Callable[[], _T]) -> _T:
        """A connection that was good may have ended meanwhile: once more on a new one."""
        had_one = self._connection is not None
        try:
            return look()
        except (LDAPException, OSError) as error:
            self._drop()
            if not had_one:
                raise ProviderDown(str(error)) from None
        try:
            return look()
        except (LDAPException, OSError) as error:
            self._drop()
            raise ProviderDown(str(error)) from None

    def _is_right(self, dn: str, password: str) -> bool:
        connection = self._anywhere(dn, password)
        if connection is None:
            return False
        let_go(connection)
        return True

    def _anywhere(self, dn: str, password: str) -> Any:
        """Bound on the server that answered last, else the first that does; None: refused. Raises ProviderDown."""
        troubles = []
        for url in sorted(self.settings.urls, key=lambda one: one != self._answered):
            try:
                connection = connect(self.settings, url, dn, password)
                self._answered = url
                return connection
            except (LDAPException, OSError) as error:
                troubles.append(f"{url}: {error}")
        raise ProviderDown("; ".join(troubles))

    def _bound(self) -> Any:
        if self._connection is None:
            self._connection = self._anywhere(self.settings.bind_dn, self.secret)
            if self._connection is None:
                raise ProviderDown(f"the directory refuses spec.ldap.bindDn {self.settings.bind_dn} or its password")
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            let_go(connection)

    def _person(self, wanted: str) -> Entry | None:
        attributes = entries.attributes_of_people(self.settings)
        found = self._search(self.settings.user_base, wanted, attributes)
        if len(found) > 1:
            raise NotVouched("the directory has more than one person of this name: ask an operator")
        return found[0] if found else None

    def _groups(self, person: Entry) -> Sequence[str]:
        """Names of all groups, those that list groups included, however they are nested and also in circles."""
        if not self.settings.group_base:
            return ()
        known: dict[str, str] = {}
        new = self._new_groups(entries.groups_of_person(self.settings, person), known)
        while new and self.settings.nested and len(known) < MOST:
            asked, new = new, []
            for start in range(0, len(asked), _AT_ONCE):
                some = asked[start : start + _AT_ONCE]
                new += self._new_groups(entries.groups_of_groups(self.settings, some), known)
        return sorted(set(known.values()))

    def _new_groups(self, wanted: str, known: dict[str, str]) -> list[str]:
        """DNs of those that were not known; notes their names."""
        attribute = self.settings.group_name_attribute
        found = self._search(self.settings.group_base, wanted, [attribute])
        new = [one for one in found if one.dn.lower() not in known]
        known.update({one.dn.lower(): one.first(attribute) for one in new})
        return [one.dn for one in new]

    def _search(self, base: str, wanted: str, attributes: Iterable[str], *, only_base: bool = False) -> list[Entry]:
        """All pages. Raises ProviderDown: the search did not end well; LDAPException, OSError."""
        connection = self._bound()
        found = connection.extend.standard.paged_search(
            search_base=base,
            search_filter=wanted,
            search_scope="BASE" if only_base else "SUBTREE",
            attributes=list(attributes),
            paged_size=self.settings.page_size,
            generator=False,
        )
        if connection.result["result"] != 0:
            raise ProviderDown(f"the directory cannot search {base}: {connection.result['description']}")
        return [Entry.of(one["dn"], one["raw_attributes"]) for one in found if one.get("type") == "searchResEntry"]
