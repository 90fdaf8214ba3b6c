"""One HTTP GET for probes and hooks: no connection kept, certificates not verified, a bounded body.

The kubelet's probes do the same (`pkg/probe/http`). Raises OSError (also for timeouts and TLS) and ValueError for an
answer that is not HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

_LONGEST_BODY = 10 * 1024
_AGENT = "kube-probe/1.36"


@dataclass(frozen=True, slots=True)
class HttpTarget:
    """What to ask for. `scheme` is "http" or "https"."""

    scheme: str
    host: str
    port: int
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status code and the beginning of the body."""

    status: int
    body: bytes


async def http_get(target: HttpTarget) -> HttpAnswer:
    """Ask and read the answer; cancel to limit the time."""
    context = _unverified() if target.scheme == "https" else None
    reader, writer = await asyncio.open_connection(target.host, target.port, ssl=context)
    try:
        writer.write(_request(target))
        await writer.drain()
        return await _answer(reader)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _request(target: HttpTarget) -> bytes:
    path = target.path if target.path.startswith("/") else f"/{target.path}"
    headers = {"Host": f"{target.host}:{target.port}", "User-Agent": _AGENT, "Accept": "*/*", "Connection": "close"}
    given = {name.title(): value for name, value in target.headers.items()}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in {**headers, **given}.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("line break in HTTP path or header")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _answer(reader: asyncio.StreamReader) -> HttpAnswer:
    line = await reader.readline()
    parts = line.split(None, 2)
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/") or not parts[1].isdigit():
        raise ValueError("malformed HTTP response" if line else "server closed the connection without an answer")
    while (await reader.readline()).strip():
        pass
    return HttpAnswer(int(parts[1]), await reader.read(_LONGEST_BODY))


@cache
def _unverified() -> ssl.SSLContext:
    """Probes ask whether an application answers, not whether its certificate is one we know."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
