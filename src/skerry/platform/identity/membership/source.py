"""What every type of provider, beside local accounts, can be asked; and what an answer comes to here."""

from __future__ import annotations

from typing import Protocol

from skerry.platform.identity.login.methods import Provider
from skerry.platform.identity.login.people import Identity, SignInRefused
from skerry.platform.identity.naming import may_be_a_user
from skerry.platform.identity.rules.rules import groups_of
from skerry.platform.identity.rules.told import Told

_LONGEST = 253


class Source(Protocol):
    """One type of provider. Whoever asks names the provider."""

    async def ready(self, provider: Provider) -> str:
        """Returns what to know about signing in there, when people can. Raises ProviderDown, ValueError (settings)."""
        ...

    async def now(self, provider: Provider, subject: str) -> Told:
        """What is so now of somebody who is signed in. Raises NotVouched: the person is to be signed out; ProviderDown,
        Forged: there is no telling."""
        ...

    async def forget(self, provider: Provider, subject: str, *, at_once: bool) -> float | None:
        """Nobody of this name is signed in: what was kept to ask with goes. Returns seconds to come back in, when it
        is too early: somebody may be signing in."""
        ...

    async def close(self) -> None:
        """Let connections go."""
        ...


def identity_of(provider: Provider, told: Told) -> Identity:
    """Who somebody is who has just signed in. Raises SignInRefused: with a name that nobody may have here."""
    username = f"{provider.spec.username_prefix}{told.username}"
    if username != " ".join(username.split()) or len(username) > _LONGEST or not may_be_a_user(username):
        raise SignInRefused(
            f"{username!r} can be nobody's username here: an operator may set a prefix or another claim"
        )
    return Identity(
        provider=provider.name,
        subject=told.subject,
        username=username,
        display_name=told.display_name,
        email=told.email,
        groups=groups_of(told, provider.spec),
        uid_number=told.uid_number,
        gid_number=told.gid_number,
    )
