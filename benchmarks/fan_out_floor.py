"""The floor of a fan-out: a server that does nothing but pass every body written to all who watch, over the same TLS.

`serving(folder)` runs it as `python -m benchmarks.fan_out_floor FOLDER` on a free port, which it prints.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, cast

import uvloop

from benchmarks.fixed_server import AUTHORITY, CERTIFICATE, KEY, serving_module

_WATCH = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
_CREATED = b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n"


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """Serve while the context lasts; gives the port."""
    with serving_module("benchmarks.fan_out_floor", folder) as port:
        yield port


class Connection(asyncio.Protocol):
    """A watcher or a writer; requests come in one piece."""

    watchers: ClassVar[set[asyncio.Transport]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember it."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget it."""
        self.watchers.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        """Watch, or pass on."""
        if data.startswith(b"GET "):
            self.watchers.add(self._transport)
            self._transport.write(_WATCH)
            return
        body = data.partition(b"\r\n\r\n")[2]
        event = b'{"type":"ADDED","object":%b}\n' % body
        chunk = b"%x\r\n%b\r\n" % (len(event), event)
        self._transport.write(_CREATED)
        for watcher in self.watchers:
            watcher.write(chunk)


async def serve(folder: Path) -> None:
    """Serve until told to stop."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / CERTIFICATE, folder / KEY)
    tls.load_verify_locations(folder / AUTHORITY)
    tls.verify_mode = ssl.CERT_OPTIONAL
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
