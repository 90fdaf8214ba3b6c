"""OpenID Connect as a source of memberships: asks userinfo with the access token, and for a new one when that ends.

Who cannot be asked about any more (the provider takes neither token, or gave none to go on with) is not vouched for:
that person signs in again. A provider that does not answer says nothing about anybody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from weakref import WeakValueDictionary

from skerry.platform.base.capability import Context
from skerry.platform.identity.login.methods import Provider
from skerry.platform.identity.membership.per_provider import PerProvider
from skerry.platform.identity.oidc.party import Party, Tokens
from skerry.platform.identity.oidc.tokens import Kept, KeptTokens
from skerry.platform.identity.rules.told import Told
from skerry.platform.identity.types import OidcSettings
from skerry.platform.identity.vouching import NotVouched, ProviderDown

log = logging.getLogger(__name__)

_SOON = timedelta(seconds=60)
_SIGNING_IN = timedelta(minutes=10)


class OidcSource:
    """All providers of the type."""

    def __init__(self, context: Context) -> None:
        self._clock, self._url = context.clock, context.settings.url
        self._parties: PerProvider[OidcSettings, Party] = PerProvider(
            context.client, context.clock, lambda settings, secret: Party(settings, secret, context.clock)
        )
        self._kept = KeptTokens(context.client)
        self._refreshing: set[asyncio.Task[Tokens]] = set()
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    def redirect_uri(self, name: str) -> str:
        """Where the provider sends browsers back to; it has to know this address."""
        return f"{self._url}/identity/oidc/{name}/callback"

    async def party(self, provider: Provider) -> Party:
        """Raises ValueError: settings that cannot be; ProviderDown: the Secret lacks."""
        settings = provider.spec.oidc
        if settings is None:
            raise ValueError("spec.oidc is missing")
        return await self._parties.of(provider.name, settings, settings.client_secret)

    async def ready(self, provider: Provider) -> str:
        """Raises ProviderDown, ValueError."""
        await (await self.party(provider)).metadata(anew=True)
        return f"people sign in there; it has to know the redirect URI {self.redirect_uri(provider.name)}"

    async def keep(self, provider: Provider, subject: str, tokens: Tokens) -> None:
        """Of somebody who signs in. Raises StatusError, OSError."""
        async with self._lock(provider, subject):
            await self._kept.put(provider.name, subject, Kept(tokens, self._clock.now()))

    async def now(self, provider: Provider, subject: str) -> Told:
        """Raises NotVouched, ProviderDown, Forged; StatusError, OSError."""
        async with self._lock(provider, subject):
            party, kept = await self.party(provider), await self._kept.get(provider.name, subject)
            if kept is None:
                await party.metadata()  # nothing is concluded while the provider is silent
                raise NotVouched("nothing is kept to ask the provider with: sign in again")
            tokens = kept.tokens
            if tokens.expires > self._clock.now() + _SOON and await party.has_userinfo():
                with suppress(NotVouched):  # it may have been taken back, and another be had
                    return await party.memberships(tokens, subject)
            tokens = await self._whole(self._fresh(provider, party, subject, kept))
            return await party.memberships(tokens, subject)

    async def forget(self, provider: Provider, subject: str, *, at_once: bool) -> float | None:
        """Raises StatusError, OSError."""
        async with self._lock(provider, subject):
            kept = await self._kept.get(provider.name, subject)
            if kept is None:
                return None
            left = kept.since + _SIGNING_IN - self._clock.now()
            if not at_once and timedelta() < left <= _SIGNING_IN:
                return left.total_seconds()
            await self._kept.drop(provider.name, subject)
        try:
            await (await self.party(provider)).revoke(kept.tokens.refresh)
        except (ProviderDown, ValueError) as error:
            log.info("%s: a refresh token that is not needed any more was not revoked: %s", provider.name, error)
        return None

    async def close(self) -> None:
        """Let connections go, when nothing that was begun can be lost."""
        await asyncio.gather(*self._refreshing, return_exceptions=True)
        await self._parties.close()

    async def _whole(self, refreshing: Coroutine[None, None, Tokens]) -> Tokens:
        """A refresh token is good once: who stops us between its use and the note of the next one must not lose it."""
        task = asyncio.create_task(refreshing)
        self._refreshing.add(task)
        task.add_done_callback(self._refreshing.discard)
        return await asyncio.shield(task)

    async def _fresh(self, provider: Provider, party: Party, subject: str, kept: Kept) -> Tokens:
        if not kept.tokens.refresh:
            raise NotVouched("the access token is over, and the provider gave no refresh token: sign in again")
        fresh = await party.refreshed(kept.tokens.refresh, subject)
        await self._kept.put(provider.name, subject, replace(kept, tokens=fresh))
        return fresh

    def _lock(self, provider: Provider, subject: str) -> asyncio.Lock:
        return self._locks.setdefault((provider.name, subject), asyncio.Lock())
