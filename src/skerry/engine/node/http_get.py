"""One HTTP GET for probes and hooks: no connection kept, certificates not verified, a bounded body.

The kubelet's probes do the same (`pkg/probe/http`): redirects on the same host are followed, those to another are the
answer. Raises OSError (also for timeouts and TLS) and ValueError for an answer that is not HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import field, replace
from functools import cache
from urllib.parse import urljoin, urlsplit

from skerry.engine.node.dialing import dial
from skerry.kube.authority import host_and_port
from skerry.kube.records import record

_LONGEST_BODY = 10 * 1024
_MOST_REDIRECTS = 10
_PORTS = {"http": 80, "https": 443}
_BODILESS = (204, 304)
_REDIRECTS = (301, 302, 303, 307, 308)


@record
class HttpTarget:
    """What to ask for. `scheme` is "http" or "https"."""

    scheme: str
    host: str
    port: int
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    agent: str = "kube-probe/1.36"

    @property
    def url(self) -> str:
        """As people write it."""
        return f"{self.scheme}://{host_and_port(self.host, self.port)}{_rooted(self.path)}"


@record
class HttpAnswer:
    """Status code and the beginning of the body. `location`: where a redirect leads, "" for none."""

    status: int
    body: bytes
    location: str = ""


async def http_get(target: HttpTarget) -> HttpAnswer:
    """Ask, also where that is redirected to on the same host, and read the answer; cancel to limit the time."""
    for _ in range(_MOST_REDIRECTS):
        answer = await _ask(target)
        following = _redirected(target, answer)
        if following is None:
            return answer
        target = following
    raise ValueError(f"stopped after {_MOST_REDIRECTS} redirects")


def _redirected(target: HttpTarget, answer: HttpAnswer) -> HttpTarget | None:
    """Where to ask next; None when the answer stands."""
    if answer.status not in _REDIRECTS or not answer.location:
        return None
    there = urlsplit(urljoin(target.url, answer.location))
    if there.hostname != target.host or there.scheme not in _PORTS:
        return None
    path = (there.path or "/") + (f"?{there.query}" if there.query else "")
    return replace(target, scheme=there.scheme, port=there.port or _PORTS[there.scheme], path=path)


async def _ask(target: HttpTarget) -> HttpAnswer:
    context = _unverified() if target.scheme == "https" else None
    reader, writer = await dial(target.host, target.port, context)
    try:
        writer.write(_request(target))
        await writer.drain()
        return await _answer(reader)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _request(target: HttpTarget) -> bytes:
    path = _rooted(target.path)
    headers = {
        "Host": host_and_port(target.host, target.port),
        "User-Agent": target.agent,
        "Accept": "*/*",
        "Connection": "close",
    }
    given = {name.title(): value for name, value in target.headers.items()}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in {**headers, **given}.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("line break in HTTP path or header")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _rooted(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


async def _answer(reader: asyncio.StreamReader) -> HttpAnswer:
    line = await reader.readline()
    parts = line.split(None, 2)
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/") or not parts[1].isdigit():
        raise ValueError("malformed HTTP response" if line else "server closed the connection without an answer")
    headers: dict[str, str] = {}
    while header := (await reader.readline()).strip():
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    status = int(parts[1])
    return HttpAnswer(status, await _body(reader, status, headers), headers.get("location", ""))


async def _body(reader: asyncio.StreamReader, status: int, headers: Mapping[str, str]) -> bytes:
    """The beginning of what follows: not every server closes the connection when it is asked to."""
    length = headers.get("content-length", "")
    wanted = min(int(length), _LONGEST_BODY) if length.isdecimal() else _LONGEST_BODY
    last = b"0\r\n\r\n" if "chunked" in headers.get("transfer-encoding", "").lower() else None
    body = b""
    if status in _BODILESS:
        return body
    while len(body) < wanted and (part := await reader.read(wanted - len(body))):
        body += part
        if last is not None and body.endswith(last):
            break
    return body


@cache
def _unverified() -> ssl.SSLContext:
    """Probes ask whether an application answers, not whether its certificate is one we know."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
