"""The API of a dual-stack instance: at addresses of both IP families, by one port and one certificate."""

from __future__ import annotations

import asyncio
import socket
import ssl

import pytest

from skerry.engine.instance import kernel_has_ipv6
from tests.support.api import RunningApi, running_api

pytestmark = pytest.mark.skipif(not kernel_has_ipv6(), reason="this kernel has no IPv6")


async def version_at(api: RunningApi, address: str, name: str) -> str:
    """What it answers there, once its certificate was found to bear that name."""
    context = ssl.create_default_context(cafile=str(api.server.config.paths.pki / "ca.crt"))
    reader, writer = await asyncio.open_connection(address, api.server.port, ssl=context, server_hostname=name)
    host = f"[{address}]" if ":" in address else address
    writer.write(f"GET /version HTTP/1.1\r\nHost: {host}:{api.server.port}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.decode()


async def test_both_families_are_served() -> None:
    async with running_api(settings={"bind6": "::1", "node_ip6": "2001:db8::10"}) as api:
        for address, name in (("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::1", "2001:db8::10")):
            assert '"gitVersion"' in await version_at(api, address, name)
        port = api.server.port
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        socket.create_server((address, port), family=family).close()


async def test_a_port_that_is_taken_in_the_second_family_is_an_error_that_leaves_nothing() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as theirs:
        port = theirs.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            async with running_api(settings={"bind6": "::1", "port": port}):
                pass
        socket.create_server(("127.0.0.1", port)).close()
