"""One WebSocket through the gateway: exec, attach, port-forward, watches of browsers, what pods speak behind the proxy
subresources. Messages pass both ways as they are, SPDY tunnelled in them included, while the guard allows it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import aiohttp
from starlette.types import Message, Receive, Send

from skerry.kube.errors import StatusError
from skerry.kube.http_forwarding import Forwarded, Forwarder
from skerry.kube.tasks import stop
from skerry.platform.identity.gateway.answers import answer, answer_raw
from skerry.platform.identity.gateway.asking import Asked, returned_headers
from skerry.platform.identity.gateway.attributes import attributes_of
from skerry.platform.identity.gateway.guard import Guard, Underway

log = logging.getLogger(__name__)

_NORMAL, _POLICY, _INTERNAL = 1000, 1008, 1011
_NEVER_SENT = (None, 1005, 1006, 1015)
"""Codes that only say that there was none."""
_LONGEST_REASON = 123  # bytes
_AN_ERROR = 400
_Upstream = aiohttp.ClientWebSocketResponse[bool]


class Socket:
    """From the handshake to the close."""

    def __init__(self, asked: Asked, receive: Receive, send: Send) -> None:
        self._receive, self._send, self._asked = receive, send, asked

    async def run(self, forwarder: Forwarder, guard: Guard, protocols: Sequence[str]) -> None:
        """Returns when it is over. Raises OSError before the handshake."""
        await self._receive()  # websocket.connect
        forwarded = Forwarded(self._asked.method, self._asked.target, self._asked.headers)
        try:
            async with forwarder.websocket(forwarded, protocols) as upstream:
                await self._send({"type": "websocket.accept", "subprotocol": upstream.protocol})
                await self._relay(upstream, guard)
        except StatusError as error:
            await self._refuse(forwarder, forwarded, error)

    async def _relay(self, upstream: _Upstream, guard: Guard) -> None:
        attributes = attributes_of(self._asked.method, self._asked.target)
        up = asyncio.ensure_future(self._up(upstream))
        down = asyncio.ensure_future(self._down(upstream))
        refused = asyncio.ensure_future(guard.ended(Underway(self._asked.person, attributes)))
        try:
            await asyncio.wait((up, down, refused), return_when=asyncio.FIRST_COMPLETED)
            if down.done():
                await self._close(*down.result())
            elif refused.done():
                log.info("cut off: %s, %s: %s", self._asked.person.user, attributes, refused.result())
                await self._close(_POLICY, refused.result())
        finally:
            await stop(up, down, refused)

    async def _up(self, upstream: _Upstream) -> None:
        while (message := await self._receive())["type"] == "websocket.receive":
            await _pass_on(upstream, message)

    async def _down(self, upstream: _Upstream) -> tuple[int, str]:
        """Returns how the API closed it."""
        async for message in upstream:
            key = "text" if message.type is aiohttp.WSMsgType.TEXT else "bytes"
            await self._send({"type": "websocket.send", key: message.data})
        if upstream.close_code in _NEVER_SENT:
            return (_NORMAL, "") if upstream.close_code == _NEVER_SENT[1] else (_INTERNAL, "the API broke off")
        return upstream.close_code or _NORMAL, ""

    async def _close(self, code: int, reason: str) -> None:
        short = reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
        await self._send({"type": "websocket.close", "code": code, "reason": short})

    async def _refuse(self, forwarder: Forwarder, forwarded: Forwarded, error: StatusError) -> None:
        """With the API's own words: a handshake that failed does not have them, the same request without one does."""
        async with forwarder.request(forwarded) as response:
            if response.status < _AN_ERROR:
                await answer(self._send, error, instead_of_socket=True)
                return
            headers = returned_headers(response.headers.items())
            await answer_raw(self._send, response.status, headers, await response.read(), instead_of_socket=True)


async def _pass_on(upstream: _Upstream, message: Message) -> None:
    if message.get("bytes") is not None:
        await upstream.send_bytes(message["bytes"])
    else:
        await upstream.send_str(message["text"])
