"""HTTP in, a `Request` through the handler, its answer out. Every failure is a `Status`.

Neighbours: `connection` (who calls), `routes` (paths), `negotiation` and `encoding` (forms), `exchange` (bytes),
`watch_stream`; the handler is the wrapped chain made by `server`. WebSockets other than watches go, once let in, to
`engine.api.streams`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import orjson

from skerry.engine.api.http.encoding import Encoder
from skerry.engine.api.http.exchange import Exchange, Head, Headers
from skerry.engine.api.http.negotiation import PLAIN, Form, negotiate, negotiate_object, negotiate_without_tables
from skerry.engine.api.http.piping import tunnel
from skerry.engine.api.http.routes import (
    before_proxied,
    check_timeout,
    of_today,
    query_of,
    segments_of,
    target_of,
    verb_for,
)
from skerry.engine.api.http.switching import switch
from skerry.engine.api.http.watch_socket import WatchSocket
from skerry.engine.api.http.watch_stream import WatchStreams
from skerry.engine.api.metrics import Metrics
from skerry.engine.api.request import Handler, Request, Target
from skerry.engine.api.response import (
    BrokenOff,
    Computed,
    Listing,
    Raw,
    Response,
    Stored,
    Streamed,
    Switched,
    Upgraded,
    Watching,
)
from skerry.engine.api.streams.connect_options import POD_STREAMS
from skerry.engine.api.streams.websocket import Receive, Scope, Send, WebSocket
from skerry.engine.schema.registry import Registry
from skerry.kube.clock import Clock
from skerry.kube.errors import BadRequest, InternalError, StatusError

log = logging.getLogger(__name__)

Connect: TypeAlias = Callable[[Request, Scope, Receive, Send], Awaitable[None]]
"""Serves a WebSocket of a request let in. Raises StatusError to refuse it."""

SPDY = b"spdy/3.1"
_UNDEMANDING = frozenset({b"", b"*/*", b"application/json"})
_REMEMBERED = 512
"""Paths whose targets are kept."""


class Edge:
    """Serves exchanges, and WebSockets as an ASGI application."""

    def __init__(self, handler: Handler, connect: Connect, registry: Registry, clock: Clock, metrics: Metrics) -> None:
        self.watches = WatchStreams()
        self._handler = handler
        self._connect = connect
        self._registry = registry
        self._clock = clock
        self._metrics = metrics
        self._targets: dict[bytes, Target | None] = {}
        self._generation = registry.generation

    async def serve(self, exchange: Exchange) -> None:
        """Answer one request. An exchange left without its end is one whose connection must not be used again."""
        request: Request | None = None
        try:
            request = self._request(
                exchange.head, exchange.headers, exchange.read, may_switch=exchange.beyond is not None
            )
            form = _form(request)
            response = await self._handler(request)
            await self._answer(request, response, form, exchange)
        except StatusError as error:
            await _fail(exchange, error, request)
        except BrokenOff as error:
            log.info("%s %s broke off: %s", exchange.head.method, exchange.head.path.decode("latin-1"), error)
        except Exception:
            log.exception("%s %s failed", exchange.head.method, exchange.head.path.decode("latin-1"))
            if not exchange.code:  # otherwise it is too late for a Status
                await _fail(exchange, InternalError("Internal error occurred: see the server's log"), request)
        finally:
            if request is not None and request.leave is not None:
                request.leave()
            self._metrics.count(request, exchange.code)

    def _request(
        self,
        head: Head,
        headers: Mapping[bytes, bytes],
        read: Callable[[], Awaitable[bytes]] | None = None,
        *,
        may_switch: bool = False,
    ) -> Request:
        path, raw_query = head.path, head.query
        if b"/watch/" in path:
            path, raw_query = of_today(head.method, path, raw_query)
        query = query_of(raw_query)
        target = self._target(path)
        verb = verb_for(head.method, target, query) if target else head.method.lower()
        if "timeout" in query and verb != "watch":
            check_timeout(query["timeout"], target)
        return Request(
            user=head.user,
            verb=verb,
            target=target,
            method=head.method,
            path=path.decode("latin-1"),
            raw_query=raw_query,
            query=query,
            headers=headers,
            raw_headers=head.fields,
            source=head.source,
            content_type=headers.get(b"content-type", b"").decode("latin-1"),
            read=read,
            upgrade=headers.get(b"upgrade", b"").decode("latin-1") if may_switch else "",
        )

    def _target(self, path: bytes) -> Target | None:
        """What a path names. Remembered for some: most requests are for the same few collections and objects."""
        if b"/proxy" in path:
            path = before_proxied(path)
        if self._generation != self._registry.generation or len(self._targets) > _REMEMBERED:
            self._generation = self._registry.generation
            self._targets.clear()
        try:
            return self._targets[path]
        except KeyError:
            target = self._targets[path] = target_of(self._registry, segments_of(path))
            return target

    def switches(self, path: bytes, protocol: bytes) -> bool:
        """Whether a request for a path may become another protocol (`Upgrade`, lower case): what others answer is for
        them to agree to, streams into pods speak SPDY here. WebSockets of our own are not meant."""
        try:
            target = self._target(path)
        except StatusError:
            return False  # the request itself is refused in a moment
        if target is None:
            return False
        if target.kind.elsewhere or target.subresource == "proxy":
            return True
        return protocol == SPDY and target.group_resource == "pods" and target.subresource in POD_STREAMS

    async def _answer(self, request: Request, response: Response, form: Form, exchange: Exchange) -> None:
        if isinstance(response, Stored) and form is PLAIN and not request.query and not request.warnings:
            await exchange.reply(response.code, b"application/json", response.entry.value)
            return
        if isinstance(response, Raw):
            headers = [(name.encode(), value.encode()) for name, value in response.headers.items()]
            await exchange.reply(response.code, response.content_type.encode(), response.body, headers)
        elif isinstance(response, Streamed):
            await _stream(response, exchange)
        elif isinstance(response, Upgraded):
            await tunnel(response, exchange)
        elif isinstance(response, Switched):
            await switch(response, exchange)
        else:
            await self._encode(request, response, form, exchange)

    async def _encode(
        self, request: Request, response: Stored | Computed | Listing | Watching, form: Form, exchange: Exchange
    ) -> None:
        encoder = Encoder(form, request.query, self._clock.now())
        if isinstance(response, Watching):
            await self.watches.send(response, encoder, exchange)
        elif isinstance(response, Listing):
            body = encoder.listing(response)
            await exchange.reply(200, form.content_type, body, _warnings(request), request.leave)
        elif isinstance(response, Stored):
            await exchange.reply(response.code, form.content_type, encoder.stored(response), _warnings(request))
        else:
            await exchange.reply(response.code, form.content_type, encoder.computed(response), _warnings(request))

    async def websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket (ASGI). `scope["state"]["user"]` is who the connection belongs to."""
        fields = [*scope["headers"]]
        source = (scope.get("client") or ("",))[0]
        head = Head("GET", scope["raw_path"], scope["query_string"], fields, scope["state"].get("user"), source)
        try:
            request = self._request(head, dict(fields))
            if request.verb == "watch":
                await self._watch(request, WebSocket(scope, receive, send))
            else:
                await self._connect(request, scope, receive, send)
        except StatusError as error:
            await _refuse_websocket(send, error)
        except Exception:
            log.exception("WebSocket %s failed", scope.get("path", ""))
            await send({"type": "websocket.close", "code": 1011})

    async def _watch(self, request: Request, socket: WebSocket) -> None:
        """A watch over a WebSocket. Raises StatusError before the handshake is answered."""
        encoder = Encoder(negotiate(request.headers.get(b"accept", b"")), request.query, self._clock.now())
        try:
            response = await self._handler(request)
            if not isinstance(response, Watching):
                raise BadRequest("only what this server keeps itself can be watched over a WebSocket")
            await self.watches.send(response, encoder, WatchSocket(socket))
        finally:
            if request.leave is not None:
                request.leave()


def _form(request: Request) -> Form:
    """How to answer. What others answer is for them to negotiate. Raises NotAcceptable."""
    target, accept = request.target, request.headers.get(b"accept", b"")
    if accept in _UNDEMANDING or target is None or target.kind.elsewhere or target.subresource == "proxy":
        return PLAIN
    form = negotiate_object(accept) if target.kind.definition else negotiate(accept)
    if form.shape == "table" and target.kind.verbs == ("create",):
        return negotiate_without_tables(accept)
    return form


async def _fail(exchange: Exchange, error: StatusError, request: Request | None) -> None:
    """Answer with the Status of a failure."""
    headers = _warnings(request) if request else []
    if wait := error.details.get("retryAfterSeconds"):
        headers.append((b"retry-after", str(wait).encode()))
    if exchange.code:
        await exchange.finish()
        return
    await exchange.reply(error.code, b"application/json", orjson.dumps(error.to_json()) + b"\n", headers)


async def _stream(response: Streamed, exchange: Exchange) -> None:
    """Send until the chunks end or the client has gone, which a silent stream would not notice by itself."""
    exchange.patient = True
    sending = asyncio.create_task(_send_chunks(response, exchange))
    leaving = asyncio.create_task(exchange.gone())
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            await sending
    finally:
        for task in (sending, leaving):
            task.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)


async def _send_chunks(response: Streamed, exchange: Exchange) -> None:
    try:
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
        await exchange.start(response.content_type.encode("latin-1"), response.code, headers)
        async for chunk in response.chunks:
            await exchange.write(chunk)
        await exchange.finish()
    finally:
        await response.close()


async def _refuse_websocket(send: Send, error: StatusError) -> None:
    body = orjson.dumps(error.to_json())
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "websocket.http.response.start", "status": error.code, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


def _warnings(request: Request) -> Headers:
    return [(b"warning", f'299 - "{_quoted(text)}"'.encode("ascii", "replace")) for text in request.warnings]


def _quoted(text: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    return printable.replace("\\", "\\\\").replace('"', '\\"')[:1024]
