"""A provider's public keys: kept for a while, fetched anew for a key that nobody has seen, but not too often."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWTError

from skerry.kube.clock import Clock
from skerry.platform.identity.oidc.fetching import Fetcher
from skerry.platform.identity.vouching import ProviderDown

_PAUSE = timedelta(seconds=10)
"""Between two fetches, however many tokens name keys that are not there."""
_OLD = timedelta(minutes=15)
"""A key that the provider takes back is not trusted for longer."""


class Keys:
    """Of one provider."""

    def __init__(self, fetcher: Fetcher, clock: Clock) -> None:
        self._fetcher, self._clock = fetcher, clock
        self._keys: list[PyJWK] = []
        self._fetched: datetime | None = None
        self._one_at_a_time = asyncio.Lock()

    async def candidates(self, address: str, key_id: str | None) -> list[PyJWK]:
        """The keys that may have signed what names `key_id`; without a name all. Raises ProviderDown."""
        async with self._one_at_a_time:
            age = self._clock.steady() - self._fetched if self._fetched else _OLD
            if age >= _OLD or (age >= _PAUSE and not self._named(key_id)):
                self._keys = await self._fetch(address)
                self._fetched = self._clock.steady()
        return self._named(key_id)

    def _named(self, key_id: str | None) -> list[PyJWK]:
        return [one for one in self._keys if key_id is None or one.key_id == key_id]

    async def _fetch(self, address: str) -> list[PyJWK]:
        answer = await self._fetcher.get(address)
        if not answer.is_right:
            raise ProviderDown(f"{address} answers {answer.code}")
        try:
            keys = PyJWKSet.from_dict(answer.body).keys
        except PyJWTError as error:
            raise ProviderDown(f"{address} has no keys that can be used: {error}") from None
        return [one for one in keys if one.key_type != "oct" and one.public_key_use != "enc"]
