"""A real HTTPS server for conversion webhooks: answers reviews with a function, keeps them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.https_server import https_server

Answer = Callable[[dict[str, Any]], Any]
"""The whole answer to a review; something other than a dict is sent as text."""


@dataclass
class WebhookServer:
    """`bundle` is the CA in base64, as webhook configurations have it."""

    url: str
    bundle: str
    answer: Answer
    reviews: list[dict[str, Any]] = field(default_factory=list)


@asynccontextmanager
async def webhook_server(answer: Answer) -> AsyncIterator[WebhookServer]:
    """Serve until left."""
    running = WebhookServer("", "", answer)

    async def handle(request: web.Request) -> web.Response:
        review = await request.json()
        running.reviews.append(review)
        said = running.answer(review)
        return web.json_response(said) if isinstance(said, dict) else web.Response(status=500, text=str(said))

    async with https_server(handle, "/convert") as address:
        running.url, running.bundle = address.url, address.bundle
        yield running
