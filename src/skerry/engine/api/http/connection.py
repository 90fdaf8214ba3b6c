"""One client's connection: requests parsed one after the other (httptools), each answered before the next is served.

Our own and not uvicorn's, because what ASGI asks for (a scope, an event and a timer for every request, messages both
ways) was half the cost of a GET. A connection's user is worked out when it is made, and looked at now and then: the
client's certificate may end. One that asks for a WebSocket is handed over to uvicorn's implementation, imported when
first needed; one that asks for another protocol where that may be had becomes a pipe to a backend that agrees, or
SPDY into a pod.
Neighbours: `exchange`, `edge`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import httptools
import orjson

from skerry.engine.api.auth.client_certificates import ClientCertificate, certificate_of
from skerry.engine.api.http.exchange import Exchange, Head, Headers, Line
from skerry.engine.api.http.flow import Flow
from skerry.engine.api.request import User
from skerry.kube.clock import SystemClock, WallClock
from skerry.kube.errors import BadRequest

if TYPE_CHECKING:
    from skerry.engine.api.streams.server_protocol import WebSockets

log = logging.getLogger(__name__)

KEEP_ALIVE = 120.0
"""Seconds an idle connection is kept: Go clients give theirs up after 90."""
REQUEST_SECONDS = 60.0
"""Seconds a client may take to send a request, head and body: what Kubernetes gives the whole of it."""
LOOK_EVERY = 30.0
"""Seconds between looks at a connection: who sends too slowly, who reads nothing, who is idle."""
_LOOKS_UNREAD = 4
"""Looks in a row that find a client not to have taken a byte of what waits for it, after which it is cut off."""
HEAD_LIMIT = 64 * 1024
"""Bytes of URL and headers; nobody we serve comes near it."""
_TOO_LONG = "the request's head is too long"  # the parser reports it: 400

Serve: TypeAlias = Callable[[Exchange], Awaitable[None]]


@dataclass
class Open:
    """The connections there are, and the tasks that serve them."""

    connections: set[Any] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


@dataclass
class Serving:
    """What the connections of one server share. `websocket` is an ASGI application."""

    serve: Serve
    websocket: Any
    switches: Callable[[bytes, bytes], bool]
    """Whether a request for a path may become another protocol (`Upgrade`, lower case)."""
    state: Open = field(default_factory=Open)
    lost: Callable[[], None] = lambda: None
    """Called when a connection is gone for good."""
    clock: WallClock = field(default_factory=SystemClock)
    """By which client certificates are judged."""

    @cached_property
    def websockets(self) -> WebSockets:
        """What a connection becomes; imported with the first one, as it costs memory and a part of the start."""
        from skerry.engine.api.streams.server_protocol import WebSockets

        return WebSockets(self.websocket, self.state.connections, self.state.tasks)


class Connection(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._line: Line
        self._user: User | None = None
        self._certificate: ClientCertificate | None = None
        self._source = ""
        self._url = b""
        self._fields: Headers = []
        self._left = HEAD_LIMIT
        self._upgrading = False
        self._beyond: asyncio.StreamReader | None = None
        """Where everything goes that comes after a request for another protocol that may be had."""
        self._current: Exchange | None = None
        """The request parsed last; while `_waiting` is not empty, not the one being answered."""
        self._waiting: deque[Exchange] = deque()
        self._at_work = False
        """Whether there is a task that serves this connection's requests."""
        self._idle: asyncio.Future[Exchange | None] | None = None
        """What that task waits for while there is no request."""
        self._active = self._loop.time()
        self._began: float | None = None
        """When the request that is coming in began; None between requests."""
        self._unsent = 0
        self._unread_looks = 0
        self._idle_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Learn who it is; the TLS handshake is over by now."""
        transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self.transport = transport
        self._line = Line(transport, Flow(transport), self._answered)
        tls = transport.get_extra_info("ssl_object")
        self._certificate = certificate_of(tls) if tls is not None else None
        self._look_at_certificate()
        self._source = str((transport.get_extra_info("peername") or ("",))[0])
        self._serving.state.connections.add(self)
        self._look_again(KEEP_ALIVE)

    def connection_lost(self, exc: Exception | None) -> None:
        """End what is being answered."""
        if self._beyond is not None:
            self._beyond.feed_eof()
        self._serving.state.connections.discard(self)
        for exchange in (self._current, *self._waiting):
            if exchange is not None:
                exchange.lose()
        self._waiting.clear()
        self._dismiss()
        self._line.flow.resume_writing()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._serving.lost()

    def data_received(self, data: bytes) -> None:
        """Parse; what is no HTTP ends the connection."""
        self._active = self._loop.time()
        if self.transport.is_closing():
            return
        if self._beyond is not None:
            self._beyond.feed_data(data)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._upgrading:
                self._become_websocket()
            elif self._current is not None and self._current.beyond is not None:
                self._beyond = self._current.beyond
                self._beyond.feed_data(data[upgrade.args[0] :])
            # other offers (h2c) are ignored, the request itself is answered
        except httptools.HttpParserError:
            self._refuse("Invalid HTTP request received.")

    def pause_writing(self) -> None:
        """The client does not read."""
        self._line.flow.pause_writing()

    def resume_writing(self) -> None:
        """It does."""
        self._unread_looks = 0
        self._line.flow.resume_writing()

    def shutdown(self) -> None:
        """Close once what is being answered is; what may last for as long as the client likes ends now."""
        if self._beyond is not None:
            self._beyond.feed_eof()  # who speaks there may have last words
        elif self._current is not None and self._current.patient:
            self._current.lose()
        if self._current is None or self._current.ended:
            self._dismiss()
            self.transport.close()
        else:
            self._current.keep_alive = False

    def on_message_begin(self) -> None:
        """The parser's: a new request."""
        self._url, self._fields, self._left = b"", [], HEAD_LIMIT
        self._began = self._loop.time()

    def on_url(self, url: bytes) -> None:
        """The parser's: part of the URL."""
        self._left -= len(url)
        if self._left < 0:
            raise ValueError(_TOO_LONG)
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser's: one header."""
        self._left -= len(name) + len(value)
        if self._left < 0:
            raise ValueError(_TOO_LONG)
        self._fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The parser's: begin to answer, or to wait for one's turn."""
        parser, may_switch = self._parser, False
        path, query = _split(self._url)
        if parser.should_upgrade():
            may_switch = self._serving.switches(path, _upgrade(self._fields))
            if not may_switch and _asks_for_websocket(self._fields):
                self._upgrading = True
                return
        head = Head(parser.get_method().decode("ascii"), path, query, self._fields, self._user, self._source)
        keep_alive = parser.should_keep_alive() and parser.get_http_version() != "1.0"
        exchange = Exchange(head, self._line, keep_alive=keep_alive and not may_switch)
        if may_switch:
            exchange.beyond = asyncio.StreamReader()
            exchange.beyond.set_transport(self.transport)
        self._current = exchange
        self._begin(exchange)

    def on_body(self, body: bytes) -> None:
        """The parser's: part of the body."""
        if self._current is not None and not self._upgrading:
            self._current.feed(body)

    def on_message_complete(self) -> None:
        """The parser's: the end of the body."""
        self._began = None
        if self._current is not None and not self._upgrading:
            self._current.feed_end()

    def _begin(self, exchange: Exchange) -> None:
        """Answer it now, or when its turn comes; nothing more is taken in while one waits."""
        if self._idle is not None:
            self._idle.set_result(exchange)
            self._idle = None
        elif not self._at_work:
            self._at_work = True
            task = self._loop.create_task(self._work(exchange))
            self._serving.state.tasks.add(task)
            task.add_done_callback(self._serving.state.tasks.discard)
        else:
            self._waiting.append(exchange)
            self._line.flow.pause_reading()

    async def _work(self, exchange: Exchange) -> None:
        """Serve one request after the other. One task for all of them, as to make one costs half as much as a GET."""
        next_one: Exchange | None = exchange
        try:
            while next_one is not None:
                await self._serving.serve(next_one)
                if not next_one.ended:
                    break
                next_one = await self._next()
        finally:
            self._at_work = False
            if next_one is not None:
                self.transport.close()

    async def _next(self) -> Exchange | None:
        """The next request to be answered; None when there will be none."""
        if self.transport.is_closing():
            return None
        if self._waiting:
            found = self._waiting.popleft()
            if not self._waiting:
                self._line.flow.resume_reading()
            return found
        self._idle = self._loop.create_future()
        try:
            return await self._idle
        finally:
            self._idle = None

    def _dismiss(self) -> None:
        """No further request is served."""
        if self._idle is not None:
            self._idle.set_result(None)
            self._idle = None

    def _answered(self) -> None:
        """One exchange is over."""
        self._active = self._loop.time()
        if not self._waiting and not self.transport.is_closing():
            self._line.flow.resume_reading()

    def _look_again(self, seconds: float) -> None:
        self._idle_timer = self._loop.call_later(min(seconds, LOOK_EVERY), self._look)

    def _look(self) -> None:
        """One timer that looks now and then costs less than one that every request sets anew."""
        now = self._loop.time()
        if self._sends_too_slowly(now) or self._reads_nothing():
            self.transport.abort()
            return
        self._look_at_certificate()
        left = self._active + KEEP_ALIVE - now
        if self._current is not None and not self._current.ended:
            left = KEEP_ALIVE
        if left > 0:
            self._look_again(left)
        else:
            self.transport.close()

    def _look_at_certificate(self) -> None:
        """It may end while the connection lasts."""
        if self._certificate is not None:
            self._user = self._certificate.user_at(self._serving.clock.now())

    def _sends_too_slowly(self, now: float) -> bool:
        """Not while it is us who do not read."""
        return self._began is not None and now - self._began > REQUEST_SECONDS and not self._line.flow.read_paused

    def _reads_nothing(self) -> bool:
        """Whether the client has taken nothing for several looks; a reader of logs may take its time."""
        before, self._unsent = self._unsent, self.transport.get_write_buffer_size()
        patient = self._current is not None and self._current.patient
        waits = self._line.flow.write_paused and self._unsent >= before and not patient
        self._unread_looks = self._unread_looks + 1 if waits else 0
        return self._unread_looks > _LOOKS_UNREAD

    def _refuse(self, why: str) -> None:
        """Answer what cannot be parsed, and end the connection."""
        body = orjson.dumps(BadRequest(why).to_json())
        head = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close"
        self.transport.write(head % len(body) + b"\r\n\r\n" + body)
        self.transport.close()

    def _become_websocket(self) -> None:
        """Hand the connection over, and the request's head with it."""
        self._dismiss()
        self._serving.state.connections.discard(self)
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        fields = b"".join([b"%b: %b\r\n" % field for field in self._fields])
        protocol = self._serving.websockets.protocol({"user": self._user})
        protocol.connection_made(self.transport)
        protocol.data_received(b"%b %b HTTP/1.1\r\n%b\r\n" % (self._parser.get_method(), self._url, fields))
        self.transport.set_protocol(protocol)


def _split(url: bytes) -> tuple[bytes, bytes]:
    """Path and query. Raises HttpParserInvalidURLError."""
    if url.startswith(b"/") and b"#" not in url:
        path, _, query = url.partition(b"?")
        return path, query
    parsed = httptools.parse_url(url)
    return parsed.path or b"/", parsed.query or b""


def _upgrade(fields: Headers) -> bytes:
    """The protocol asked for; of several headers the last."""
    upgrades = [value.strip().lower() for name, value in fields if name == b"upgrade"]
    return upgrades[-1] if upgrades else b""


def _asks_for_websocket(fields: Headers) -> bool:
    connection = [
        token.strip() for name, value in fields if name == b"connection" for token in value.lower().split(b",")
    ]
    return _upgrade(fields) == b"websocket" and b"upgrade" in connection
