"""What is made for each provider and lives as long as its settings and its secret are the same."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from skerry.kube.client import Client
from skerry.kube.clock import Clock
from skerry.kube.errors import NotFound
from skerry.kube.records import record
from skerry.kube.resources import SECRETS
from skerry.platform.base.model import Model
from skerry.platform.identity.naming import PRIVATE
from skerry.platform.identity.types import SecretRef
from skerry.platform.identity.vouching import ProviderDown

_SECRET_IS_READ_AGAIN = timedelta(minutes=1)


class Closable(Protocol):
    """What holds connections."""

    async def close(self) -> None:
        """Let them go."""
        ...


_Settings = TypeVar("_Settings", bound=Model)
_T = TypeVar("_T", bound=Closable)


@record
class _Made(Generic[_Settings, _T]):
    settings: _Settings
    secret: str
    what: _T


class PerProvider(Generic[_Settings, _T]):
    """By the provider's name."""

    def __init__(self, client: Client, clock: Clock, make: Callable[[_Settings, str], _T]) -> None:
        """`make`: of settings and secret; it may raise ValueError."""
        self._client, self._clock, self._make = client, clock, make
        self._made: dict[str, _Made[_Settings, _T]] = {}
        self._secrets: dict[SecretRef, tuple[str, datetime]] = {}

    async def of(self, name: str, settings: _Settings, ref: SecretRef | None) -> _T:
        """The one for these settings. Raises ProviderDown: its Secret lacks; ValueError, StatusError, OSError."""
        secret = await self._secret(ref) if ref else ""
        known = self._made.get(name)
        if known is not None and known.settings == settings and known.secret == secret:
            return known.what
        made = self._make(settings, secret)
        self._made[name] = _Made(settings, secret, made)
        if known is not None:
            await known.what.close()
        return made

    async def close(self) -> None:
        """All of them."""
        for one in self._made.values():
            await one.what.close()
        self._made.clear()

    async def _secret(self, ref: SecretRef) -> str:
        now = self._clock.steady()
        known = self._secrets.get(ref)
        if known is not None and now - known[1] < _SECRET_IS_READ_AGAIN:
            return known[0]
        try:
            data = (await self._client.get(SECRETS, ref.name, PRIVATE)).get("data") or {}
            secret = base64.b64decode(data[ref.key]).decode().strip()
        except (NotFound, KeyError, binascii.Error, UnicodeDecodeError):
            raise ProviderDown(f"there is no Secret {PRIVATE}/{ref.name} with text as {ref.key}") from None
        self._secrets[ref] = secret, now
        return secret
