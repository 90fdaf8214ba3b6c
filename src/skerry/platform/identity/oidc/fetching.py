"""HTTP to a provider: bounded in time and size, no redirects, TLS checked, plain HTTP to this machine only.

An answer is JSON of one object, whatever its status code; what to make of the code is the caller's business.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.platform.identity.vouching import ProviderDown

_LARGEST = 1 << 20  # bytes
_TIMEOUT = aiohttp.ClientTimeout(total=10)


@record
class Answer:
    """What came back."""

    code: int
    body: Obj

    @property
    def is_right(self) -> bool:
        """Whether it is a success."""
        return 200 <= self.code < 300


def is_safe(url: str) -> bool:
    """Whether secrets may go there: HTTPS, or this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or ""))


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Fetcher:
    """To one provider."""

    def __init__(self, ca: str = "") -> None:
        """`ca`: PEM, beside whom the system trusts. Raises ValueError when it is none."""
        self._tls = ssl.create_default_context()
        if ca:
            try:
                self._tls.load_verify_locations(cadata=ca)
            except ssl.SSLError as error:
                raise ValueError(f"spec.oidc.ca is not PEM: {error}") from None
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str, bearer: str = "") -> Answer:
        """Raises ProviderDown."""
        return await self._ask("GET", url, {"Authorization": f"Bearer {bearer}"} if bearer else {}, None)

    async def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """A form. Raises ProviderDown."""
        return await self._ask("POST", url, headers, form)

    async def close(self) -> None:
        """Let connections go."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None) -> Answer:
        if not is_safe(url):
            raise ProviderDown(f"{url} is not HTTPS: tokens are not sent there")
        session = self._session = self._session or aiohttp.ClientSession(timeout=_TIMEOUT)
        wanted = {"Accept": "application/json", **headers}
        try:
            async with session.request(
                method, url, headers=wanted, data=form, ssl=self._tls, allow_redirects=False
            ) as response:
                return Answer(response.status, _object_in(await _read(response), url, response.status))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ProviderDown(f"{url} does not answer: {_why(error)}") from None


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError) and error.strerror:
        return error.strerror
    return str(error) or "too slow"


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for part in response.content.iter_chunked(1 << 16):
        body += part
        if len(body) > _LARGEST:
            raise ProviderDown(f"{response.url} answers more than {_LARGEST} bytes")
    return bytes(body)


def _object_in(body: bytes, url: str, code: int) -> Obj:
    """Errors may have any body; these and confirmations of RFC 7009 none at all."""
    if not body:
        return {}
    try:
        read: Any = orjson.loads(body)
    except ValueError:
        read = None
    if isinstance(read, dict):
        return read
    if 200 <= code < 300:
        raise ProviderDown(f"{url} does not answer in JSON")
    return {}
