"""The tokens with which we ask a provider about people who are signed in: one Secret for each, and a copy in memory.

They are the provider's, not ours, so they have to be kept as they are; nothing but this capability may read them. What
a provider gave is in memory before it is in the cluster, so that a write that fails loses nothing while we live.
"""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress
from datetime import datetime

import orjson

from skerry.kube.client import Client
from skerry.kube.clock import parse_time, rfc3339
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.kube.resources import SECRETS
from skerry.platform.identity.naming import PRIVATE
from skerry.platform.identity.oidc.party import Tokens

_KEY = "tokens"


@record
class Kept:
    """Of one person."""

    tokens: Tokens
    since: datetime
    """When the person last signed in."""


class KeptTokens:
    """By provider and subject."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, Kept] = {}

    async def get(self, provider: str, subject: str) -> Kept | None:
        """Raises StatusError, OSError."""
        name = _name(provider, subject)
        if name not in self._known:
            try:
                self._known[name] = _read(await self._client.get(SECRETS, name, PRIVATE))
            except (NotFound, KeyError, ValueError):
                return None
        return self._known[name]

    async def put(self, provider: str, subject: str, kept: Kept) -> None:
        """Raises StatusError, OSError: they are in memory only."""
        name = _name(provider, subject)
        self._known[name] = kept
        secret = _secret(name, provider, subject, kept)
        try:
            await self._client.update(SECRETS, secret)
        except NotFound:
            with suppress(AlreadyExists):
                await self._client.create(SECRETS, secret)

    async def drop(self, provider: str, subject: str) -> None:
        """Raises StatusError, OSError."""
        name = _name(provider, subject)
        self._known.pop(name, None)
        with suppress(NotFound):
            await self._client.delete(SECRETS, name, PRIVATE)


def _name(provider: str, subject: str) -> str:
    both = f"{provider}\n{subject}"
    return f"oidc-{hashlib.sha256(both.encode()).hexdigest()[:40]}"


def _secret(name: str, provider: str, subject: str, kept: Kept) -> Obj:
    written = {
        "provider": provider,
        "subject": subject,
        "access": kept.tokens.access,
        "expires": rfc3339(kept.tokens.expires),
        "refresh": kept.tokens.refresh,
        "since": rfc3339(kept.since),
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "skerry.dev/provider-tokens",
        "metadata": {"name": name, "namespace": PRIVATE},
        "data": {_KEY: base64.b64encode(orjson.dumps(written)).decode()},
    }


def _read(secret: Obj) -> Kept:
    written = orjson.loads(base64.b64decode(secret["data"][_KEY]))
    tokens = Tokens(written["access"], parse_time(written["expires"]), written["refresh"])
    return Kept(tokens, parse_time(written["since"]))
