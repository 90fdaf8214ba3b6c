"""The platform's certificate: of its own authority, and made anew while connections come and go."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from skerry.kube.certificates.making import issue_authority
from skerry.kube.certificates.wanted import Wanted
from skerry.kube.clock import SystemClock
from skerry.platform.program import tls
from tests.support.waiting import until

NAMES = ("127.0.0.1", "localhost")


async def test_new_connections_see_a_new_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    own = issue_authority(Wanted("a", "an authority", days=10, authority="a"), clock.now())
    context = tls.serving(own, NAMES, clock)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    trusting = ssl.create_default_context(cadata=own.certificate.decode())

    async def serial() -> str:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=trusting)
        found: str = writer.get_extra_info("peercert")["serialNumber"]
        writer.close()
        await writer.wait_closed()
        return found

    async with server:
        first = await serial()
        assert await serial() == first
        monkeypatch.setattr(tls, "_MONTH", 0.01)
        renewal = asyncio.create_task(tls.renewing(context, own, NAMES, clock))
        try:

            async def is_another() -> bool:
                return await serial() != first

            await until(is_another)
        finally:
            renewal.cancel()
