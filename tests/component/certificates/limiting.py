"""An ACME server that has accounts but gives no orders: `429`, with the time to come back. pebble has no limits."""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web


@dataclass
class Limiting:
    """Where it is; `orders` counts those asked for."""

    directory: str = ""
    bundle: str = ""
    nameserver: str = "127.0.0.1:1"
    orders: int = 0


@asynccontextmanager
async def limiting(retry_after: int) -> AsyncIterator[Limiting]:
    """Start it on a free port, stop it at the end. `retry_after`: seconds."""
    server = Limiting(bundle=base64.b64encode(b"not looked at").decode())

    def headers() -> dict[str, str]:
        return {"Replay-Nonce": base64.urlsafe_b64encode(secrets.token_bytes(12)).decode().rstrip("=")}

    async def directory(request: web.Request) -> web.Response:
        base = f"http://{request.host}"
        return web.json_response({f"new{word}": f"{base}/{word}" for word in ("Nonce", "Account", "Order")})

    async def nonce(_: web.Request) -> web.Response:
        return web.Response(headers=headers())

    async def account(request: web.Request) -> web.Response:
        where = {"Location": f"http://{request.host}/account/1"}
        return web.json_response({"status": "valid"}, status=201, headers={**headers(), **where})

    async def order(_: web.Request) -> web.Response:
        server.orders += 1
        problem = {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many certificates", "status": 429}
        return web.json_response(
            problem,
            status=429,
            headers={**headers(), "Retry-After": str(retry_after)},
            content_type="application/problem+json",
        )

    application = web.Application()
    application.router.add_get("/dir", directory)
    application.router.add_route("HEAD", "/Nonce", nonce)
    application.router.add_post("/Account", account)
    application.router.add_post("/Order", order)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.directory = f"http://127.0.0.1:{runner.addresses[0][1]}/dir"
    try:
        yield server
    finally:
        await runner.cleanup()
