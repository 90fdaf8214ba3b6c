"""A SPDY client over TLS that says exactly what the test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from skerry.engine.api.streams.spdy import Data, Decoder, Encoder, Frame, Ping, SynReply, SynStream
from skerry.kube.kubeconfig import load_kubeconfig
from tests.support.api import RunningApi
from tests.support.waiting import LIMIT

V4 = "v4.channel.k8s.io"


class SpdyConnection:
    """What the server has answered, and the connection after it. `code`: of the answer; `body` of one that refuses."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.code = 0
        self.headers: list[tuple[str, str]] = []
        self.body = b""
        self.writer = writer
        self._reader = reader
        self._encoder, self._decoder = Encoder(), Decoder()
        self._frames: list[Frame] = []

    async def ask(self, method: str, path: str, headers: Sequence[tuple[str, str]]) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        self.writer.write(f"{method} {path} HTTP/1.1\r\nhost: api\r\ncontent-length: 0\r\n{lines}\r\n".encode())
        head = (await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), LIMIT)).decode().split("\r\n")
        self.code = int(head[0].split()[1])
        self.headers = [(name.lower(), value.strip()) for name, _, value in (one.partition(":") for one in head[1:-2])]
        if self.code != 101:
            length = int(dict(self.headers)["content-length"])
            self.body = await asyncio.wait_for(self._reader.readexactly(length), LIMIT)

    async def send(self, *frames: Frame) -> None:
        self.writer.write(b"".join(self._encoder.encode(frame) for frame in frames))
        await self.writer.drain()

    async def next(self) -> Frame | None:
        """The next frame, None at the end."""
        while not self._frames:
            data = await asyncio.wait_for(self._reader.read(65536), LIMIT)
            if not data:
                return None
            self._frames += self._decoder.feed(data)
        return self._frames.pop(0)

    async def open(self, *kinds: str) -> None:
        """Streams 1, 3, 5 ... by their types, replied to."""
        for index, kind in enumerate(kinds):
            await self.send(SynStream(2 * index + 1, {"streamType": kind}))
        for index in range(len(kinds)):
            assert await self.next() == SynReply(2 * index + 1)

    async def until_the_outcome(self) -> dict[int, bytes]:
        """What came on each stream until the first, the one for the outcome, ended."""
        came: dict[int, bytearray] = {}
        while True:
            frame = await self.next()
            if isinstance(frame, Ping):
                continue
            assert isinstance(frame, Data), frame
            came.setdefault(frame.stream, bytearray()).extend(frame.data)
            if frame.stream == 1 and frame.fin:
                return {stream: bytes(data) for stream, data in came.items()}


@asynccontextmanager
async def upgraded(
    api: RunningApi,
    target: str,
    *,
    protocols: Sequence[str] = (V4,),
    method: str = "POST",
    upgrade: str = "SPDY/3.1",
    headers: Sequence[tuple[str, str]] = (),
) -> AsyncIterator[SpdyConnection]:
    """Ask for an upgrade of `pods/<target>` of the pod `web`."""
    host, _, port = api.url.removeprefix("https://").partition(":")
    tls = load_kubeconfig(api.kubeconfig).ssl_context()
    reader, writer = await asyncio.open_connection(host, int(port), ssl=tls)
    connection = SpdyConnection(reader, writer)
    asked = [("Connection", "Upgrade"), ("Upgrade", upgrade)]
    asked += [("X-Stream-Protocol-Version", protocol) for protocol in protocols]
    try:
        await connection.ask(method, f"/api/v1/namespaces/default/pods/web/{target}", [*asked, *headers])
        yield connection
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
