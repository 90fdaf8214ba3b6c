"""One SPDY connection through the gateway: exec, attach and port-forward of Kubernetes' older clients.

When the API agrees, bytes pass both ways as they are while the guard allows it; its refusal is the client's answer.
Neighbours: `sockets` and `exchange`, its sisters; `kube.switching`, by which the web server lends the connection.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from starlette.types import Send

from skerry.kube.errors import Forbidden
from skerry.kube.http_forwarding import Forwarded, Forwarder
from skerry.kube.http_upgrading import Agreed
from skerry.kube.switching import Switching
from skerry.kube.tasks import stop
from skerry.platform.identity.gateway.answers import answer, answer_raw
from skerry.platform.identity.gateway.asking import Asked, returned_headers
from skerry.platform.identity.gateway.attributes import attributes_of
from skerry.platform.identity.gateway.guard import Guard, Underway

log = logging.getLogger(__name__)

SPDY = "SPDY/3.1"
_SWITCHING = frozenset({"exec", "attach", "portforward", "proxy"})
"""Subresources that speak another protocol."""
_CHUNK = 64 * 1024


def may_switch(asked: Asked) -> bool:
    """Whether the API may agree: other answers may be long, or last, and are an `Exchange`'s."""
    attributes = attributes_of(asked.method, asked.target)
    return not asked.has_body and attributes.get("resourceAttributes", {}).get("subresource") in _SWITCHING


class Upgrade:
    """From the request to the end of the connection."""

    def __init__(self, asked: Asked, switching: Switching, send: Send) -> None:
        self._asked, self._client, self._send = asked, switching, send
        self._answered = False

    async def run(self, forwarder: Forwarder, guard: Guard) -> None:
        """Returns when it is over. Raises OSError before there is an answer."""
        attributes = attributes_of(self._asked.method, self._asked.target)
        passed = asyncio.ensure_future(self._pass_on(forwarder))
        refused = asyncio.ensure_future(guard.ended(Underway(self._asked.person, attributes)))
        try:
            await asyncio.wait((passed, refused), return_when=asyncio.FIRST_COMPLETED)
            if passed.done():
                return passed.result()
            log.info("cut off: %s, %s: %s", self._asked.person.user, attributes, refused.result())
            if not self._answered:
                await stop(passed)
                await answer(self._send, Forbidden(refused.result()))
        finally:
            await stop(passed, refused)

    async def _pass_on(self, forwarder: Forwarder) -> None:
        asked = self._asked
        said = await forwarder.upgrade(Forwarded(asked.method, asked.target, asked.headers), SPDY)
        self._answered = True
        headers = returned_headers(said.fields)
        if not isinstance(said, Agreed):
            await answer_raw(self._send, said.status, headers, said.body)
            return
        try:
            await self._client.agree([*headers, (b"connection", b"Upgrade"), (b"upgrade", SPDY.encode())])
            await self._relay(said)
        finally:
            self._client.close()
            said.writer.close()
            with suppress(OSError):
                await said.writer.wait_closed()

    async def _relay(self, upstream: Agreed) -> None:
        up, down = asyncio.ensure_future(self._up(upstream)), asyncio.ensure_future(self._down(upstream))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await stop(up, down)

    async def _up(self, upstream: Agreed) -> None:
        with suppress(OSError):
            while data := await self._client.reader.read(_CHUNK):
                upstream.writer.write(data)
                await upstream.writer.drain()

    async def _down(self, upstream: Agreed) -> None:
        await self._client.write(upstream.begun)
        with suppress(OSError):
            while data := await upstream.reader.read(_CHUNK):
                await self._client.write(data)
