"""Listens for questions on one address, by datagrams and by streams (RFC 1035, 7766), and sends the answers.

A question whose answer is known costs one look into a dictionary. Everything that a client can make us do is bounded:
new questions a second (`budget`), questions on their way, connections, and how long a silent connection stays open.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from time import monotonic

from skerry.engine.network.dns.answering import Answering
from skerry.engine.network.dns.budget import ClientBudget

log = logging.getLogger(__name__)

_MOST_WAITING = 2000  # questions whose answer is not known yet
_MOST_CONNECTIONS = 500
_TRIES = 20  # a port that is free for streams may be taken for datagrams
_IDLE = 10.0  # seconds
_BUFFER = 1024 * 1024  # bytes of datagrams that wait while the event loop does something else


class DnsServer:
    """Answers on `host` after `start`."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._budget = ClientBudget(monotonic)
        self._transport: asyncio.DatagramTransport | None = None
        self._streams: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen, on another port if that one is taken; returns the port. Raises OSError."""
        stream, datagram = _bind(host, port)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=datagram)
        self._streams = await asyncio.start_server(self._connected, sock=stream)
        return int(stream.getsockname()[1])

    async def close(self) -> None:
        """Stop listening; what is on its way is given up."""
        if self._transport is not None:
            self._transport.close()
        if self._streams is not None:
            self._streams.close()
        for task in (tasks := [*self._waiting, *self._connections]):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def datagram(self, data: bytes, client: tuple[str, int]) -> None:
        """Answer at once, or as soon as the answer is there."""
        transport = self._transport
        if transport is None:
            return
        known = self._answering.known(data, datagram=True)
        if known is not None:
            transport.sendto(known, client)
        elif len(self._waiting) < _MOST_WAITING and self._budget.take(client[0]):
            task = asyncio.create_task(self._answer_datagram(data, client))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)

    async def _answer_datagram(self, data: bytes, client: tuple[str, int]) -> None:
        answer = await self._answer(data, datagram=True)
        if answer is not None and self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(answer, client)

    async def _answer(self, data: bytes, *, datagram: bool) -> bytes | None:
        try:
            return await self._answering.answer(data, datagram=datagram)
        except Exception:
            log.exception("a DNS question could not be answered")
            return None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if len(self._connections) <= _MOST_CONNECTIONS:
                with contextlib.suppress(OSError, TimeoutError, EOFError):
                    await self._serve(reader, writer)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: questions are answered in their order."""
        while True:
            async with asyncio.timeout(_IDLE):
                length = int.from_bytes(await reader.readexactly(2), "big")
                data = await reader.readexactly(length)
            known = self._answering.known(data, datagram=False)
            if known is None and not self._budget.take(writer.get_extra_info("peername")[0]):
                return
            answer = known if known is not None else await self._answer(data, datagram=False)
            if answer is None:
                return
            writer.write(len(answer).to_bytes(2, "big") + answer)
            async with asyncio.timeout(_IDLE):
                await writer.drain()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self.datagram_received = server.datagram  # type: ignore[method-assign,assignment]  # one call less per question


def _bind(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Sockets for streams and datagrams on the same port: the one asked for, or any that is free for both."""
    for _ in range(_TRIES):
        try:
            return _bind_both(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            log.info("port %d of %s is taken: another one is used", port, host)
            port = 0
    return _bind_both(host, port)


def _bind_both(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    datagram = socket.socket(family, socket.SOCK_DGRAM)
    stream = socket.socket(family, socket.SOCK_STREAM)
    try:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stream.bind((host, port))
        datagram.bind((host, stream.getsockname()[1]))
        datagram.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        stream.listen(128)
    except OSError:
        stream.close()
        datagram.close()
        raise
    return stream, datagram
