"""Serves the platform's routes over TLS by uvicorn, inside our event loop."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from skerry.platform.program.sockets import SocketProtocol
from skerry.platform.program.switching import HttpProtocol

_SECONDS_TO_END = 3
_SECONDS_IDLE = 75
"""Longer than clients keep connections that they still use: a new one costs both sides a TLS handshake."""


class _Server(uvicorn.Server):
    """Tells when it answers; signals are the program's business."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebServer:
    """Listens as soon as it is made, answers from `start` on."""

    def __init__(self, host: str, port: int) -> None:
        """Raises OSError: the port is taken."""
        self._socket = socket.create_server((host, port), backlog=1024)
        # What is accepted inherits it. asyncio sets it only where the protocol is named, which create_server does not
        # do: every answer in two pieces would wait 40 ms for the client's acknowledgement.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self._socket.getsockname()[1]
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, routes: Sequence[BaseRoute], tls: ssl.SSLContext) -> None:
        """Returns when requests are answered."""
        config = uvicorn.Config(
            Starlette(routes=list(routes)),
            http=HttpProtocol,
            ws=SocketProtocol,
            # Who reads slowly answers pings late: streams wait for their readers, however long.
            ws_ping_timeout=None,
            log_level="warning",  # else it tells of paths with what people run in their pods
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_SECONDS_TO_END,
            timeout_keep_alive=_SECONDS_IDLE,
            ssl_context_factory=lambda _config, _default: tls,
        )
        config.load()
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve([self._socket]), name="platform web")
        await self._server.answers.wait()

    async def close(self) -> None:
        """Stop answering; requests that are under way have a few seconds."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
        self._socket.close()
