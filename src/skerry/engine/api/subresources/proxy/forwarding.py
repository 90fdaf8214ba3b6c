"""Sends a request on to a backend and hands its answer back, as it comes.

What belongs to one connection only stays behind, and so do the client's credentials. The backend's certificate is not
verified: it is an address inside the cluster that was asked for, not a name. aiohttp is imported at the first use.
Source: apimachinery `pkg/util/proxy/upgradeaware.go`, Go's `httputil.ReverseProxy`.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, NamedTuple

from skerry.engine.api.response import Raw, Response, Streamed
from skerry.engine.api.subresources.proxy.rewriting import Proxied, rewritten, rewritten_html
from skerry.kube.errors import ServiceUnavailable

if TYPE_CHECKING:
    import aiohttp

_CONNECT_SECONDS = 30.0
_PER_CONNECTION = frozenset({
    "connection", "proxy-connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip
_NOT_SENT = _PER_CONNECTION | {"authorization", "host", "content-length", "expect"}
_NOT_RETURNED = _PER_CONNECTION | {"content-length", "content-type"}

Fields = list[tuple[str, str]]


class Outgoing(NamedTuple):
    """A request to a backend. `url` is escaped already."""

    method: str
    url: str
    headers: Fields
    body: bytes
    proxied: Proxied


def sent_headers(headers: Iterable[tuple[bytes, bytes]], source: str) -> Fields:
    """The client's headers, as a backend may see them; `source` is the client's address."""
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    named = {word.strip().lower() for name, value in fields if name == "connection" for word in value.split(",")}
    kept = [(name, value) for name, value in fields if name not in _NOT_SENT and name not in named]
    before = [value for name, value in kept if name == "x-forwarded-for"]
    rest = [(name, value) for name, value in kept if name != "x-forwarded-for"]
    return [*rest, ("x-forwarded-for", ", ".join([*before, source]))] if source else kept


async def forward(outgoing: Outgoing) -> Response:
    """The backend's answer. Raises ServiceUnavailable when there is none."""
    import aiohttp

    stack = AsyncExitStack()
    try:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=False, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
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
        raise ServiceUnavailable(f"error trying to reach service: {error}") from error
    except BaseException:
        await stack.aclose()
        raise
    pieces = _pieces(answer, stack)
    await anext(pieces)  # from here on its end closes everything, also when nobody comes to read
    return Streamed(pieces, _type(answer), answer.status, _returned(answer, outgoing.proxied))


def _asked(session: aiohttp.ClientSession, outgoing: Outgoing) -> aiohttp.client._RequestContextManager:
    from yarl import URL

    return session.request(
        outgoing.method,
        URL(outgoing.url, encoded=True),
        headers=outgoing.headers,
        data=outgoing.body or None,
        allow_redirects=False,
    )


async def _pieces(answer: aiohttp.ClientResponse, stack: AsyncExitStack) -> AsyncGenerator[bytes, None]:
    """The body as it comes; a backend that breaks off ends it."""
    async with stack:
        yield b""
        async for piece in answer.content.iter_any():
            yield piece


async def _page(answer: aiohttp.ClientResponse, proxied: Proxied) -> Response:
    body = await answer.content.read(-1)
    headers = _returned(answer, proxied)
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


def _returned(answer: aiohttp.ClientResponse, proxied: Proxied) -> Fields:
    """The backend's headers; a redirect leads through the proxy."""
    fields = [(name, value) for name, value in answer.headers.items() if name.lower() not in _NOT_RETURNED]
    return [(name, rewritten(value, proxied) if name.lower() == "location" else value) for name, value in fields]
