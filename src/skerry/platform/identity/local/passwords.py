"""Passwords as argon2id hashes, one Secret for each User in the platform's namespace.

The Secret belongs to the User (owner reference and uid): it goes with it, and is nobody's who has the name later.
Hashing has threads of its own, two at a time, so that neither guesses nor sign-ins hold up anything else.
Source: RFC 9106; OWASP Password Storage Cheat Sheet (19 MiB, 2 passes: 50 ms of one core).
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from skerry.kube.client import Client
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.objects import Obj, name_of, owner_reference, uid_of
from skerry.kube.resources import SECRETS
from skerry.platform.base.language import N_
from skerry.platform.identity.login.often import TooMany
from skerry.platform.identity.naming import PRIVATE
from skerry.platform.identity.types import USERS

HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, type=Type.ID)
_KEY, _OF = "argon2id", "skerry.dev/user-uid"
_LONGEST = 1024  # characters: what is longer is no password, but work for the hasher
_MOST_WAITING = 40
"""Hashes, two at a time: some seconds. Who comes then is sent away at once."""
_T = TypeVar("_T")


class Passwords:
    """Set and checked."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._threads = ThreadPoolExecutor(2, "passwords")
        self._waiting = 0

    async def set(self, user: Obj, password: str) -> None:
        """From now on it is this one. Raises TooMany, StatusError."""
        hashed = await self._in_thread(partial(HASHER.hash, password))
        secret: Obj = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": _name(user),
                "annotations": {_OF: uid_of(user)},
                "ownerReferences": [owner_reference(user, USERS)],
            },
            "type": "skerry.dev/password",
            "data": {_KEY: base64.b64encode(hashed.encode()).decode()},
        }
        try:
            await self._client.create(SECRETS, secret, PRIVATE)
        except AlreadyExists:
            await self._client.update(SECRETS, {**secret, "metadata": {**secret["metadata"], "namespace": PRIVATE}})

    async def is_right(self, user: Obj | None, password: str) -> bool:
        """Takes as long for who is not there. Raises TooMany, StatusError."""
        kept = await self._kept(user)
        right = await self._in_thread(partial(_verified, kept, password[:_LONGEST]))
        return right and kept is not None

    async def _kept(self, user: Obj | None) -> str | None:
        try:
            secret = await self._client.get(SECRETS, _name(user or {}), PRIVATE)
        except NotFound:
            return None
        if user is None or secret["metadata"].get("annotations", {}).get(_OF) != uid_of(user):
            return None
        return base64.b64decode(secret["data"][_KEY]).decode()

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        if self._waiting >= _MOST_WAITING:
            raise TooMany("too many people sign in at this moment: try again in a minute")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def why_too_weak(password: str, username: str, shortest: int) -> str:
    """What is wrong with a new password, "" when it will do. NIST SP 800-63B: length is what counts."""
    if len(password) < shortest:
        return f"the password is too short: {shortest} characters or more"
    if len(password) > _LONGEST:
        return f"the password is too long: up to {_LONGEST} characters"
    if username.lower() in password.lower() and len(password) < len(username) + shortest:
        return N_("the password contains the username: choose another")
    if len(set(password)) < 5:
        return N_("the password repeats a few characters: choose another")
    return ""


def _verified(kept: str | None, password: str) -> bool:
    try:
        return HASHER.verify(kept or _of_nobody(), password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _of_nobody() -> str:
    """So that a name that is not there takes as long to refuse as one that is."""
    return HASHER.hash("of nobody")


def _name(user: Obj) -> str:
    return f"skerry-password-{name_of(user) or 'of.nobody'}"
