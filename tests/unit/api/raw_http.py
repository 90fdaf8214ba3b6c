"""A bare HTTPS client for tests that need to send what no library would: raw paths, headers and bodies."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tests.support.api import RunningApi
from tests.support.waiting import LIMIT


@dataclass(frozen=True)
class Answer:
    """What came back."""

    code: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


def tls(api: RunningApi, *, certificate: bool = True) -> ssl.SSLContext:
    """A client's context, with the administrator's certificate or none."""
    text = api.kubeconfig.read_text()

    def embedded(name: str) -> bytes:
        found = re.search(rf"{name}-data: (\S+)", text)
        assert found
        return base64.b64decode(found[1])

    context = ssl.create_default_context(cadata=embedded("certificate-authority").decode())
    if certificate:
        with tempfile.TemporaryDirectory() as folder:
            pem = Path(folder) / "client.pem"
            pem.write_bytes(embedded("client-certificate") + embedded("client-key"))
            context.load_cert_chain(pem)
    return context


async def connect(api: RunningApi, *, certificate: bool = True) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection."""
    return await asyncio.open_connection("127.0.0.1", api.server.port, ssl=tls(api, certificate=certificate))


async def send(
    api: RunningApi,
    method: str,
    path: str | bytes,
    body: Any = None,
    *,
    certificate: bool = True,
    **headers: str,
) -> Answer:
    """One request on a connection of its own. Header names have underscores for dashes."""
    content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
    raw_path = path if isinstance(path, bytes) else path.encode()
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body is not None and "content_length" not in headers:
        lines.append(f"content-length: {len(content)}")
    head = method.encode() + b" " + raw_path + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    reader, writer = await connect(api, certificate=certificate)
    try:
        writer.write(head + "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + content)
        return parse(await asyncio.wait_for(reader.read(-1), LIMIT))
    finally:
        await leave(writer)


async def leave(writer: asyncio.StreamWriter) -> None:
    """End a connection at once: a goodbye would wait for the server's, however busy the machine is."""
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def parse(raw: bytes) -> Answer:
    """A whole answer."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join(_chunks(body))
    return Answer(int(first.split()[1]), headers, body)


def _chunks(body: bytes) -> list[bytes]:
    found = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        found.append(rest[:length])
        body = rest[length + 2 :]
    return found
