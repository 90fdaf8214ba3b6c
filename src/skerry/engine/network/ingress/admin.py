"""Caddy's admin API, over its unix socket: one request, one connection. Source: https://caddyserver.com/docs/api"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson

from skerry.kube.objects import Obj

_SECONDS = 30.0
_LONGEST = 64 << 20


class AdminError(OSError):
    """Caddy refused, or does not answer; the message never holds what was sent."""


class Admin:
    """The admin API of one Caddy."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def load(self, document: Obj) -> None:
        """Make this the configuration, all of it. Requests on their way end as they began. Raises AdminError."""
        await self._ask("POST", "/load", orjson.dumps(document))

    async def listening(self) -> dict[str, list[str]]:
        """The addresses each server listens on, {} before anything was loaded. Raises AdminError."""
        servers = orjson.loads(await self._ask("GET", "/config/apps/http/servers") or b"null") or {}
        return {str(name): list(server.get("listen") or ()) for name, server in servers.items()}

    async def _ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        try:
            async with asyncio.timeout(_SECONDS):
                return await self._exchange(method, path, body)
        except TimeoutError:
            raise AdminError(f"Caddy did not answer within {_SECONDS:.0f} s") from None
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            raise AdminError("Caddy's answer ended early") from None

    async def _exchange(self, method: str, path: str, body: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(str(self._socket), limit=_LONGEST)
        try:
            head = (
                f"{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            status = int((await reader.readuntil(b"\r\n\r\n")).split(None, 2)[1])
            answer = await reader.read()
        finally:
            writer.close()
        if status == 404 or (method == "GET" and status == 400):
            return b""  # a part of the configuration that is not there
        if status != 200:
            raise AdminError(f"Caddy refused its configuration: {_reason(answer)}")
        return answer


def _reason(answer: bytes) -> str:
    try:
        said: Any = orjson.loads(answer)
        return str(said.get("error", ""))[:500]
    except (orjson.JSONDecodeError, AttributeError):
        return "no reason given"
