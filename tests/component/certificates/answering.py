"""Answers HTTP-01 Challenges, as the Ingress does: the key by host and token, and says that it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from skerry.engine.definitions.acme import CHALLENGES
from skerry.kube.informer import Delta
from skerry.kube.objects import name_of, namespace_of
from tests.component.certificates.world import World


@asynccontextmanager
async def answering(world: World, port: int) -> AsyncIterator[list[str]]:
    """Serve them on loopback; gives the paths that were asked for."""
    challenges = world.context.informers.of(CHALLENGES)
    asked: list[str] = []
    presenting: set[asyncio.Task[object]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        path = head[0].split()[1]
        host = next(line[6:] for line in head if line.lower().startswith("host: ")).partition(":")[0]
        asked.append(path)
        specs = [one["spec"] for one in challenges.list()]
        key = next((one["key"] for one in specs if one["dnsName"] == host and path.endswith(f"/{one['token']}")), "")
        status = "200 OK" if key else "404 Not Found"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(key)}\r\nConnection: close\r\n\r\n{key}".encode())
        await writer.drain()
        writer.close()

    def present(delta: Delta) -> None:
        new = delta.new
        if new is not None and new["spec"]["type"] == "HTTP-01" and not (new.get("status") or {}).get("presented"):
            patch = {"status": {"presented": True}}
            patching = world.client.patch(CHALLENGES, name_of(new), patch, namespace_of(new), subresource="status")
            presenting.add(asyncio.ensure_future(patching))

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    challenges.add_handler(present)
    try:
        yield asked
    finally:
        challenges.remove_handler(present)
        await asyncio.gather(*presenting, return_exceptions=True)
        server.close()
        await server.wait_closed()
