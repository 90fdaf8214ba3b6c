"""The far end of a SPDY connection in this process: a `Link` for the server, frames for the test."""

from __future__ import annotations

import asyncio

from skerry.engine.api.streams import spdy
from skerry.engine.api.streams.spdy import Frame, SynStream
from tests.support.waiting import LIMIT


class Wire:
    """The server's link."""

    def __init__(self) -> None:
        self.to_server: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        self.lost = asyncio.Event()
        self._decoder = spdy.Decoder()

    async def receive(self) -> bytes | None:
        return await self.to_server.get()

    async def send(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            self.frames.put_nowait(frame)

    async def close(self) -> None:
        self.frames.put_nowait(None)

    async def break_off(self, reason: str) -> None:
        await self.close()

    async def gone(self) -> None:
        await self.lost.wait()


class Client:
    """A client that says exactly what the test wants."""

    def __init__(self) -> None:
        self.link = Wire()
        self._encoder = spdy.Encoder()

    @property
    def unread(self) -> int:
        """How many frames the server has not taken."""
        return self.link.to_server.qsize()

    def send(self, *frames: Frame) -> None:
        for frame in frames:
            self.link.to_server.put_nowait(self._encoder.encode(frame))

    def open(self, number: int, kind: str, request: str, port: str = "80") -> None:
        """A stream of a port-forward."""
        self.send(SynStream(number, {"streamType": kind, "requestID": request, "port": port}))

    def leave(self) -> None:
        self.link.lost.set()
        self.link.to_server.put_nowait(None)

    async def next(self) -> Frame | None:
        """The next frame, None at the end."""
        return await asyncio.wait_for(self.link.frames.get(), LIMIT)
