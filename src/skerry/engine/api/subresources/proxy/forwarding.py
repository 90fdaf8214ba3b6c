"""Sends a request on to a backend and hands its answer back, as it comes.

What belongs to one connection only stays behind, and so do the client's credentials. aiohttp is imported at the first
use.
Source: apimachinery `pkg/util/proxy/upgradeaware.go`, Go's `httputil.ReverseProxy`.
"""

from __future__ import annotations

import ssl
import zlib
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Literal, NamedTuple

from skerry.engine.api.response import BrokenOff, Raw, Response, Streamed
from skerry.engine.api.subresources.proxy.rewriting import Proxied, rewritten, rewritten_html
from skerry.kube.errors import ServiceUnavailable

if TYPE_CHECKING:
    import aiohttp

CONNECT_SECONDS = 30.0
_PER_CONNECTION = frozenset({
    "connection", "proxy-connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip
_NOT_SENT = _PER_CONNECTION | {"authorization", "content-length", "expect"}
_CROSS_ORIGIN = frozenset(f"access-control-allow-{what}" for what in ("credentials", "headers", "methods", "origin"))
_NOT_RETURNED = _PER_CONNECTION | _CROSS_ORIGIN | {"content-length", "content-type"}
_NEVER_SENT = ("impersonate-", "x-forwarded-uri", "x-forwarded-host", "x-forwarded-proto")
"""Beginnings of headers that are settled here: who asks, and where the client finds the backend."""

Fields = list[tuple[str, str]]


class Trust(NamedTuple):
    """How a backend is known: what its certificate must be, and the name in it ("" for the URL's own)."""

    context: ssl.SSLContext | Literal[False]
    """False: its certificate is not verified."""
    server_name: str = ""


ANYBODY = Trust(False)
"""For an address inside the cluster that was asked for: it has no name to be verified."""


class Outgoing(NamedTuple):
    """A request to a backend. `url` is escaped already."""

    method: str
    url: str
    headers: Fields
    body: bytes
    proxied: Proxied
    trust: Trust = ANYBODY


def sent_headers(headers: Iterable[tuple[bytes, bytes]], source: str) -> Fields:
    """The client's headers, as a backend may see them; `source` is the client's address."""
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    named = {word.strip().lower() for name, value in fields if name == "connection" for word in value.split(",")}
    kept = [
        (name, value)
        for name, value in fields
        if name not in _NOT_SENT and name not in named and not name.startswith(_NEVER_SENT)
    ]
    before = [value for name, value in kept if name == "x-forwarded-for"]
    rest = [(name, value) for name, value in kept if name != "x-forwarded-for"]
    return [*rest, ("x-forwarded-for", ", ".join([*before, source]))] if source else kept


def forwarded_headers(proxied: Proxied, path: str) -> Fields:
    """What tells a backend under which address the client sees it; `path` is the backend's own."""
    uri = f"{proxied.prefix.rstrip('/')}{path}"
    host = [("x-forwarded-host", proxied.host)] if proxied.host else []
    return [("x-forwarded-uri", uri), *host, ("x-forwarded-proto", proxied.scheme)]


async def forward(outgoing: Outgoing) -> Response:
    """The backend's answer. Raises ServiceUnavailable when there is none."""
    import aiohttp

    stack = AsyncExitStack()
    try:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=outgoing.trust.context, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                auto_decompress=False,
            )
        )
        answer = await stack.enter_async_context(_asked(session, outgoing))
        if _is_page(answer):
            async with stack:
                return await _page(answer, outgoing.proxied)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        await stack.aclose()
        raise unreachable(error) from error
    except BaseException:
        await stack.aclose()
        raise
    pieces = _pieces(answer, stack)
    await anext(pieces)  # from here on its end closes everything, also when nobody comes to read
    return Streamed(pieces, _type(answer), answer.status, returned_fields(answer.headers.items(), outgoing.proxied))


def unreachable(error: Exception) -> ServiceUnavailable:
    """What the client is told when there is no answer."""
    return ServiceUnavailable(f"error trying to reach service: {error}")


def _asked(session: aiohttp.ClientSession, outgoing: Outgoing) -> aiohttp.client._RequestContextManager:
    from yarl import URL

    return session.request(
        outgoing.method,
        URL(outgoing.url, encoded=True),
        headers=outgoing.headers,
        data=outgoing.body or None,
        allow_redirects=False,
        server_hostname=outgoing.trust.server_name or None,
    )


async def _pieces(answer: aiohttp.ClientResponse, stack: AsyncExitStack) -> AsyncGenerator[bytes, None]:
    """The body as it comes. Raises BrokenOff when it does not come to its end."""
    import aiohttp

    async with stack:
        yield b""
        try:
            async for piece in answer.content.iter_any():
                yield piece
        except (aiohttp.ClientError, OSError) as error:
            raise BrokenOff(str(error)) from error


async def _page(answer: aiohttp.ClientResponse, proxied: Proxied) -> Response:
    body = await answer.content.read(-1)
    headers = returned_fields(answer.headers.items(), proxied)
    if answer.headers.get("Content-Encoding", "").lower() == "gzip":
        body = zlib.decompress(body, wbits=31)
        headers = [(name, value) for name, value in headers if name.lower() != "content-encoding"]
    # markup is ASCII in every encoding of the web but UTF-16; bytes that are not stay as they are
    page = rewritten_html(body.decode("latin-1"), proxied).encode("latin-1", "xmlcharrefreplace")
    return Raw(page, _type(answer), answer.status, dict(headers))


def _is_page(answer: aiohttp.ClientResponse) -> bool:
    plain = answer.headers.get("Content-Encoding", "").lower() in ("", "gzip")
    return plain and answer.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "text/html"


def _type(answer: aiohttp.ClientResponse) -> str:
    return answer.headers.get("Content-Type", "text/plain; charset=utf-8")


def returned_fields(fields: Iterable[tuple[str, str]], proxied: Proxied) -> Fields:
    """The backend's headers, as the client may see them; a redirect leads through the proxy."""
    kept = [(name, value) for name, value in fields if name.lower() not in _NOT_RETURNED]
    return [(name, rewritten(value, proxied) if name.lower() == "location" else value) for name, value in kept]
