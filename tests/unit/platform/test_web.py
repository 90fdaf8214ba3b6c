"""The platform's web server."""

from __future__ import annotations

import socket

from skerry.platform.program.web import WebServer


async def test_answers_do_not_wait_for_acknowledgements() -> None:
    """Accepted connections inherit it from the one that listens."""
    web = WebServer("127.0.0.1", 0)
    try:
        with socket.create_connection(("127.0.0.1", web.port)):
            accepted, _ = web._socket.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    finally:
        await web.close()
