"""A real HTTPS server that answers AdmissionReviews, on the loopback address, with a certificate of its own.

async with running_webhook(answer) as webhook:
    webhook.url, webhook.bundle     # for a clientConfig
    webhook.reviews                 # what it was sent
`answer` is given the request of a review and returns the response (its uid is filled in), or bytes to send as they are.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from tests.support.https_server import https_server

Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any] | bytes]]


@dataclass(slots=True)
class Webhook:
    """`bundle`: the `caBundle`."""

    url: str
    bundle: str
    reviews: list[dict[str, Any]] = field(default_factory=list)


def allowing(**response: Any) -> Answer:
    """Says yes, and what else is given."""

    async def answer(request: dict[str, Any]) -> dict[str, Any]:
        return {"allowed": True, **response}

    return answer


def patching(*operations: dict[str, Any]) -> Answer:
    """Says yes with a JSON patch."""
    return allowing(patchType="JSONPatch", patch=base64.b64encode(orjson.dumps(operations)).decode())


@asynccontextmanager
async def running_webhook(answer: Answer) -> AsyncIterator[Webhook]:
    """Start one on a free port; gone at the end."""
    webhook = Webhook("", "")

    async def handle(http: web.Request) -> web.Response:
        review = await http.json()
        webhook.reviews.append({**review, "timeout": http.query.get("timeout")})
        response = await answer(review["request"])
        if isinstance(response, bytes):
            return web.Response(body=response)
        response = {"uid": review["request"]["uid"], **response}
        return web.json_response({**review, "request": None, "response": response})

    async with https_server(handle, "/review") as address:
        webhook.url, webhook.bundle = address.url, address.bundle
        yield webhook
