"""An issuer's public keys: found by discovery, kept, fetched anew for a key nobody has seen, but not too often.

One fetch at a time; whoever needs the keys meanwhile waits for it, some seconds at most. An issuer that is down costs
one attempt in `_PAUSE`, whoever asks. Source: OpenID Connect Discovery 1.0; Kubernetes' use of coreos/go-oidc.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

import orjson

from skerry.engine.api.auth.oidc.settings import Issuer

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from jwt import PyJWK

log = logging.getLogger(__name__)

_PAUSE = 10.0
"""Seconds between attempts, when the last one failed or a token names an unknown key."""
_OLD = 3600.0
"""Seconds after which keys are fetched anew beside being used: an issuer may have taken one back."""
_TIMEOUT = 10.0
_LARGEST, _CHUNK = 1 << 20, 1 << 16
"""Bytes of a document."""


class Unavailable(Exception):
    """The issuer's keys are not to be had."""


class IssuerKeys:
    """The keys of one issuer. `time`: seconds that only rise."""

    def __init__(self, issuer: Issuer, time: Callable[[], float] = monotonic) -> None:
        self._issuer = issuer
        self._time = time
        self._keys: list[PyJWK] = []
        self._attempted = float("-inf")
        self._fetched = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self._trouble = "the keys have not been fetched yet"

    async def candidates(self, key_id: str | None) -> list[PyJWK]:
        """The keys a token may be signed with. Raises Unavailable when there are none at all."""
        found = self._matching(key_id)
        now = self._time()
        if not found and now - self._attempted >= _PAUSE:
            await self._refreshed()
            found = self._matching(key_id)
        elif found and now - self._fetched >= _OLD and now - self._attempted >= _PAUSE:
            self.refresh()
        elif not found and self._task is not None:
            await self._refreshed()
            found = self._matching(key_id)
        if not self._keys:
            raise Unavailable(self._trouble)
        return found

    def refresh(self) -> asyncio.Task[None]:
        """Fetch, unless that is being done."""
        if self._task is None:
            self._attempted = self._time()
            self._task = asyncio.create_task(self._fetch(), name=f"keys of {self._issuer.url}")
        return self._task

    async def close(self) -> None:
        """Stop fetching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _refreshed(self) -> None:
        await asyncio.shield(self.refresh())

    def _matching(self, key_id: str | None) -> list[PyJWK]:
        if key_id is None:
            return self._keys
        return [key for key in self._keys if key.key_id in (key_id, None)]

    async def _fetch(self) -> None:
        """Never fails: trouble is remembered and logged."""
        from aiohttp import ClientError

        try:
            async with asyncio.timeout(_TIMEOUT):
                self._keys = await self._download()
            self._fetched, self._trouble = self._time(), ""
        except (ClientError, OSError, TimeoutError, ValueError, Unavailable) as error:
            self._trouble = f"{type(error).__name__}: {error}"
            log.warning("keys of the issuer %s: %s", self._issuer.url, self._trouble)
        finally:
            self._task = None

    async def _download(self) -> list[PyJWK]:
        from aiohttp import ClientSession, TCPConnector

        context = ssl.create_default_context(cadata=self._issuer.authority or None)
        async with ClientSession(connector=TCPConnector(ssl=context)) as session:
            usual = f"{self._issuer.url.rstrip('/')}/.well-known/openid-configuration"
            document = await _document(session, self._issuer.discovery_url or usual)
            if document.get("issuer") != self._issuer.url:
                raise Unavailable(
                    f'issuer did not match the issuer returned by provider, expected "{self._issuer.url}" '
                    f'got "{document.get("issuer")}"'
                )
            return _usable(await _document(session, str(document.get("jwks_uri") or "")))


async def _document(session: ClientSession, url: str) -> dict[str, Any]:
    """A JSON document, over TLS all the way. Raises Unavailable."""
    if not url.startswith("https://"):
        raise Unavailable(f"{url!r} is not an https URL")
    async with session.get(url) as response:
        if any(hop.url.scheme != "https" for hop in (*response.history, response)):
            raise Unavailable(f"{url} leads to a place without TLS")
        if response.status != 200:
            raise Unavailable(f"{url} answers {response.status}")
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > _LARGEST:
                raise Unavailable(f"{url} gives more than {_LARGEST} bytes")
    loaded = orjson.loads(body)
    if not isinstance(loaded, dict):
        raise Unavailable(f"{url} gives no object")
    return loaded


def _usable(document: dict[str, Any]) -> list[PyJWK]:
    """The keys we can read; others (for encryption, of unknown kinds) are left out."""
    from jwt import PyJWK, PyJWTError

    found = []
    for each in document.get("keys") or ():
        if isinstance(each, dict) and each.get("use", "sig") == "sig" and each.get("kty") in ("RSA", "EC"):
            try:
                found.append(PyJWK(each))
            except PyJWTError as error:
                log.warning("a key that cannot be read: %s", error)
    return found
