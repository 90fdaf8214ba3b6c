"""The floor of GET and LIST: uvicorn alone, serving the same bytes over the same kind of TLS connection.

`serving(folder)` runs it as `python -m benchmarks.fixed_server FOLDER` on a free port, which it prints.
"""

from __future__ import annotations

import contextlib
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

BODY, CERTIFICATE, KEY, AUTHORITY = "body.json", "server.pem", "server-key.pem", "ca.pem"
"""Files in the folder."""


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[int]:
    """Serve `folder`'s body while the context lasts; gives the port."""
    with serving_module("benchmarks.fixed_server", folder) as port:
        yield port


@contextlib.contextmanager
def serving_module(module: str, folder: Path) -> Iterator[int]:
    """Run a module that serves from a folder and prints its port, while the context lasts; gives the port."""
    command = [sys.executable, "-m", module, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()
            process.wait()


def application(body: bytes) -> Callable[..., Awaitable[None]]:
    """An ASGI application that answers everything with `body`."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]

    async def answer(scope: dict[str, Any], receive: Any, send: Callable[..., Awaitable[None]]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


def main(folder: Path) -> None:
    """Serve until told to stop."""
    import socket

    import uvicorn

    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    config = uvicorn.Config(
        application((folder / BODY).read_bytes()),
        lifespan="off",
        access_log=False,
        log_level="warning",
        ssl_certfile=str(folder / CERTIFICATE),
        ssl_keyfile=str(folder / KEY),
        ssl_ca_certs=str(folder / AUTHORITY),
        ssl_cert_reqs=ssl.CERT_OPTIONAL,
    )
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
