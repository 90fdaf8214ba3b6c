"""An upstream that never comes to its end: it is said, and others go on."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from skerry.platform.catalog import refreshing
from skerry.platform.catalog.capability import CATALOG_CAPABILITY
from skerry.platform.catalog.types import CATALOGS
from tests.support.catalogs import allow, catalog, until_says
from tests.support.platform import running_platform


async def test_an_upstream_that_drips_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshing, "_LONGEST", 1.0)
    server = await asyncio.start_server(_drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, running_platform(capabilities=(CATALOG_CAPABILITY,)) as running:
        await allow(running.admin, addresses="127.0.0.0/8")
        await running.admin.create(CATALOGS, catalog("slow", type="Http", url=f"http://127.0.0.1:{port}"), "default")
        assert "takes longer than 1 seconds" in await until_says(running.admin, "slow", "NoAnswer")


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte now and then, so that no single wait is too long."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)
