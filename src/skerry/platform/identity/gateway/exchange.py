"""One HTTP request through the gateway: on to the API and back, both bodies as they come, while the guard allows it.

What is cut off before its answer began is told why; a watch ends in order, so that its client asks again and is told
then; anything else breaks off, so that nobody takes half of it for the whole.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import aiohttp
from starlette.types import Receive, Send

from skerry.kube.errors import BadRequest, Forbidden, ServiceUnavailable
from skerry.kube.http_forwarding import Forwarded, Forwarder
from skerry.kube.tasks import stop
from skerry.platform.identity.gateway.answers import answer
from skerry.platform.identity.gateway.asking import Asked, returned_headers
from skerry.platform.identity.gateway.attributes import attributes_of, is_watch
from skerry.platform.identity.gateway.guard import Guard, Underway

log = logging.getLogger(__name__)

_BAD_REQUEST = 400
NOT_SPOKEN = "the gateway speaks WebSockets and SPDY/3.1, not {}"


class Exchange:
    """From the request to the last byte of its answer."""

    def __init__(self, asked: Asked, receive: Receive, send: Send) -> None:
        self._asked, self._receive, self._send = asked, receive, send
        self._attributes = attributes_of(asked.method, asked.target)
        self._began = False
        self._sent = asyncio.Event()
        """The request is whole at the API."""

    async def run(self, forwarder: Forwarder, guard: Guard) -> None:
        """Returns when it is over. Raises StatusError before the answer began."""
        passed = asyncio.ensure_future(self._pass_on(forwarder))
        refused = asyncio.ensure_future(guard.ended(Underway(self._asked.person, self._attributes)))
        gone = asyncio.ensure_future(self._client_gone())
        try:
            await asyncio.wait((passed, refused, gone), return_when=asyncio.FIRST_COMPLETED)
            if passed.done():
                passed.result()
            elif refused.done():
                await stop(passed)
                await self._cut(refused.result())
        finally:
            await stop(passed, refused, gone)

    async def _pass_on(self, forwarder: Forwarder) -> None:
        asked = self._asked
        body = self._body() if asked.has_body else None
        if body is None:
            self._sent.set()
        try:
            async with forwarder.request(Forwarded(asked.method, asked.target, asked.headers, body)) as response:
                if asked.upgrade and response.status == _BAD_REQUEST:
                    raise BadRequest(NOT_SPOKEN.format(asked.upgrade))
                await self._pass_back(response)
        except OSError as error:
            if self._began:
                log.info("%s %s broke off: %s", asked.method, asked.target.partition("?")[0], error)
                return
            raise ServiceUnavailable(f"the Kubernetes API does not answer: {error}") from error

    async def _pass_back(self, response: aiohttp.ClientResponse) -> None:
        self._began = True
        headers = returned_headers(response.headers.items())
        await self._send({"type": "http.response.start", "status": response.status, "headers": headers})
        async for piece in response.content.iter_any():
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})

    async def _body(self) -> AsyncGenerator[bytes, None]:
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ConnectionResetError("the client went away")
            yield message.get("body", b"")
            if not message.get("more_body"):
                self._sent.set()
                return

    async def _client_gone(self) -> None:
        await self._sent.wait()
        message: Mapping[str, Any] = {}
        while message.get("type") != "http.disconnect":
            message = await self._receive()

    async def _cut(self, why: str) -> None:
        log.info("cut off: %s, %s %s: %s", self._asked.person.user, self._asked.method, self._attributes, why)
        if not self._began:
            await answer(self._send, Forbidden(why))
        elif is_watch(self._attributes):
            await self._send({"type": "http.response.body", "body": b""})
