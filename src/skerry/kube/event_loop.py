"""The event loop of Skerry's programs: uvloop's, which here owns the sockets it is given.

uvloop connects a socket it is given (aiohttp gives it every one) and notes that it owns the file descriptor only when
the connection's task goes on. A peer that resets the connection before that leaves a socket whose descriptor is closed
already. When that socket goes it closes the number again, by then somebody else's: libuv aborts the program, or a
watch ends for no reason. Here the socket is told to forget its descriptor, whatever came of the connection.

Neighbours: who starts programs (`engine.program`, `platform.program`, `testing.cluster`). Source: uvloop 0.23,
`Loop.create_connection` and `UVSocketHandle._attach_fileobj`; asyncio's own loop does not have it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import uvloop

Result = TypeVar("Result")


class _Loop(uvloop.Loop):
    async def create_connection(
        self, protocol_factory: Callable[[], Any], *where: Any, sock: socket.socket | None = None, **options: Any
    ) -> tuple[Any, Any]:
        if sock is None:
            return await super().create_connection(protocol_factory, *where, **options)
        try:
            return await super().create_connection(protocol_factory, *where, sock=sock, **options)
        finally:
            sock.detach()  # the loop closes the descriptor with the transport


def run(program: Coroutine[Any, Any, Result]) -> Result:
    """What the program returns, run on a loop of its own in this thread; the loop is closed after it."""
    return uvloop.run(program, loop_factory=_Loop)
