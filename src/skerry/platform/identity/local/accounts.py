"""The password method of accounts kept here (`provider: local`)."""

from __future__ import annotations

from skerry.platform.identity.local.passwords import Passwords
from skerry.platform.identity.login.methods import Provider
from skerry.platform.identity.login.people import Identity, People
from skerry.platform.identity.types import LOCAL


class LocalAccounts:
    """A `PasswordMethod`."""

    def __init__(self, people: People, passwords: Passwords) -> None:
        self._people, self._passwords = people, passwords

    async def check(self, provider: Provider, username: str, password: str) -> Identity | None:
        """Whose the password is. Raises StatusError."""
        user = self._people.get(username)
        is_local = user is not None and (user["spec"].get("provider") or LOCAL) == LOCAL
        if not await self._passwords.is_right(user if is_local else None, password) or user is None:
            return None
        return Identity(LOCAL, user["spec"].get("subject") or username, username)
