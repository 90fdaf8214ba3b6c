"""HTTP to whoever has charts: bounded in time and size, to addresses within reach, credentials to their own host only.

Redirects are followed by ourselves, so that each of them is judged as well, and none leads from TLS to no TLS.
"""

from __future__ import annotations

import base64
import socket
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import field
from ipaddress import ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from skerry import __version__
from skerry.kube.records import record
from skerry.platform.catalog.sources.addresses import joined, parsed
from skerry.platform.catalog.sources.reaching import OutOfReach, Reach, addresses_of
from skerry.platform.catalog.sources.source import SourceFailed

_REDIRECTS = 5
_TIMEOUT = aiohttp.ClientTimeout(total=120, sock_connect=10, sock_read=30)
LOCAL = ("localhost", "127.0.0.1", "::1")


@record
class Login:
    """Of a Secret."""

    username: str = ""
    password: str = ""
    ca: str = ""
    """PEM: whom to trust there, beside whom the system trusts."""

    @property
    def is_there(self) -> bool:
        """Whether there is something to say who we are."""
        return bool(self.username or self.password)


@record
class Answer:
    """What came back, whatever its code; `headers` in lower case."""

    code: int
    url: str
    headers: Mapping[str, str]
    body: bytes


@record
class Question:
    """What is asked. `most`: bytes of the answer."""

    url: str
    most: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent to the first host only."""
    unpack: bool = False
    """An answer packed by the server is unpacked; archives are left as they are."""


class Fetcher:
    """For one catalogue."""

    def __init__(self, reach: Reach, login: Login) -> None:
        """Raises SourceFailed: the authority is none."""
        self._reach, self.login = reach, login
        self._tls = ssl.create_default_context()
        if login.ca:
            try:
                self._tls.load_verify_locations(cadata=login.ca)
            except ssl.SSLError as error:
                raise SourceFailed("BadSecret", f"ca.crt of its Secret is not PEM: {error}") from None

    def anonymous(self) -> Fetcher:
        """To where an upstream sends us, which is no business of the Secret's."""
        return Fetcher(self._reach, Login(ca=self.login.ca))

    async def get(self, question: Question) -> bytes:
        """The body of a good answer. Raises SourceFailed."""
        answer = await self.ask(question)
        if answer.code in (401, 403):
            raise SourceFailed("Refused", f"{answer.url} answers {answer.code}: `secret` names a Secret to log in by")
        if answer.code != 200:
            raise SourceFailed("NoAnswer", f"{answer.url} answers {answer.code}")
        return answer.body

    async def ask(self, question: Question) -> Answer:
        """Raises SourceFailed."""
        connector = aiohttp.TCPConnector(ssl=self._tls, resolver=_Resolver(self._reach), use_dns_cache=False)
        try:
            async with aiohttp.ClientSession(
                connector=connector,
                timeout=_TIMEOUT,
                auto_decompress=False,
                trust_env=self._reach.is_anywhere,  # a proxy would reach for tenants what we do not
            ) as session:
                return await self._follow(session, question)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _failure(question.url, error) from None

    async def _follow(self, session: aiohttp.ClientSession, question: Question) -> Answer:
        url = question.url
        for _ in range(_REDIRECTS + 1):
            # the address that is judged is the address that is asked: read once, by whoever connects
            async with session.get(
                self._checked(url, question.url), headers=self._headers(url, question), allow_redirects=False
            ) as response:
                location = response.headers.get("location")
                if response.status in (301, 302, 303, 307, 308) and location:
                    url = joined(url, location)
                    continue
                body = await _body(response, question)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, url, headers, body)
        raise SourceFailed("NoAnswer", f"{question.url} redirects more than {_REDIRECTS} times")

    def _checked(self, url: str, first: str) -> URL:
        """Raises SourceFailed, OutOfReach."""
        try:
            parts = URL(url)
        except ValueError:
            parts = URL()
        if parts.scheme not in ("https", "http") or not parts.host:
            raise SourceFailed("BadAddress", f"{url[:200]!r} is no web address")
        if parts.user or parts.password:
            raise SourceFailed("BadAddress", "who we are belongs into a Secret (`secret`), not into the address")
        if first.startswith("https:") and parts.scheme != "https":
            raise SourceFailed("BadAddress", f"{first} redirects to {url[:200]}, which has no TLS")
        try:
            literal = str(ip_address(parts.host))
        except ValueError:
            return parts  # a name: the resolver judges
        self._reach.choose(parts.host, [literal])
        return parts

    def _headers(self, url: str, question: Question) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity", "User-Agent": f"skerry/{__version__}"}
        return {**headers, **(question.headers if _origin(url) == _origin(question.url) else {})}


def basic(login: Login, url: str) -> dict[str, str]:
    """The header that says who we are, where that may be said: over TLS, or on this machine. Raises SourceFailed."""
    parts = parsed(url)
    if not login.is_there or (parts.scheme != "https" and parts.hostname not in LOCAL):
        return {}
    said = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
    return {"Authorization": f"Basic {said}"}


def same_host(one: str, other: str) -> bool:
    """Whether both addresses are of the same server. Raises SourceFailed."""
    return _origin(one) == _origin(other)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = parsed(url)
    return parts.scheme, parts.hostname, parts.port


class _Resolver(AbstractResolver):
    """Names to addresses within reach; what is judged here is what is connected to."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """As aiohttp has it; `family` is whatever there is."""
        found = self._reach.choose(host, await addresses_of(host, port))
        return [
            ResolveResult(
                hostname=host,
                host=one,
                port=port,
                family=socket.AF_INET6 if ":" in one else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for one in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def _body(response: aiohttp.ClientResponse, question: Question) -> bytes:
    body = bytearray()
    async for part in response.content.iter_chunked(1 << 16):
        body += part
        if len(body) > question.most:
            raise SourceFailed("TooLarge", f"{response.url} has more than {question.most} bytes")
    if question.unpack and response.headers.get("content-encoding", "").lower() == "gzip":
        return _unpacked(bytes(body), question)
    return bytes(body)


def _unpacked(body: bytes, question: Question) -> bytes:
    try:
        data = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, question.most + 1)
    except zlib.error as error:
        raise SourceFailed("NoAnswer", f"{question.url}: {error}") from None
    if len(data) > question.most:
        raise SourceFailed("TooLarge", f"{question.url} has more than {question.most} bytes")
    return data


def _failure(url: str, error: Exception) -> SourceFailed:
    inner: BaseException = error
    if isinstance(error, aiohttp.ClientConnectorError):
        inner = error.os_error
    if isinstance(inner, OutOfReach):
        return SourceFailed("OutOfReach", str(inner))
    why = getattr(inner, "strerror", None) or str(inner) or "too slow"
    return SourceFailed("NoAnswer", f"{url} does not answer: {why}")
