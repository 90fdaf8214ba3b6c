"""The SPDY tunnel's rules, told by a client that speaks frames: pairs, pings, resets, windows, limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from skerry.engine.api.streams import spdy, tunnel
from skerry.engine.api.streams.port_forward import Lane
from skerry.engine.api.streams.spdy import Data, Frame, GoAway, Ping, Reset, SynReply, SynStream, WindowUpdate
from skerry.engine.api.streams.tunnel import Tunnel
from skerry.engine.api.streams.websocket import WebSocket
from tests.support.waiting import LIMIT


class Client:
    """The far end of a tunnel."""

    def __init__(self) -> None:
        self._encoder, self._decoder = spdy.Encoder(), spdy.Decoder()
        self._to_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        self.socket = WebSocket({}, self._to_server.get, self._take)

    async def _take(self, event: Any) -> None:
        if event["type"] == "websocket.close":
            self._frames.put_nowait(None)
            return
        for frame in self._decoder.feed(event["bytes"]):
            self._frames.put_nowait(frame)

    def send(self, *frames: Frame) -> None:
        for frame in frames:
            self._to_server.put_nowait({"type": "websocket.receive", "bytes": self._encoder.encode(frame)})

    def open(self, number: int, kind: str, request: str, port: str = "80") -> None:
        self.send(SynStream(number, {"streamType": kind, "requestID": request, "port": port}))

    def leave(self) -> None:
        self._to_server.put_nowait({"type": "websocket.disconnect"})

    async def next(self) -> Frame | None:
        return await asyncio.wait_for(self._frames.get(), LIMIT)


Start = Callable[[Callable[[int, Lane], Awaitable[None]]], Client]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Run a tunnel; on the way out the client leaves and the tunnel must end with everything it started."""
    running: list[tuple[Client, asyncio.Task[None]]] = []

    def begin(serve: Any) -> Client:
        client = Client()
        running.append((client, asyncio.create_task(Tunnel(client.socket, serve).run())))
        return client

    yield begin
    for client, task in running:
        client.leave()
        _, waiting = await asyncio.wait({task}, timeout=0.1)
        for stuck in waiting:  # behind a slow pod: `upgrade` cancels the conversation when the connection is lost
            stuck.cancel()
            await asyncio.wait({stuck})
    left = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]  # type: ignore[union-attr]
    assert not [name for name in left if name.startswith("Tunnel.")]


async def _upper(port: int, lane: Lane) -> None:
    while data := await lane.read():
        await lane.write(b"%d %s" % (port, data.upper()))
    await lane.finish()


async def test_a_pair_is_a_connection_and_ends_with_both_streams(start: Start) -> None:
    client = start(_upper)
    client.open(1, "error", "r")
    client.send(Data(1, b"", fin=True))
    client.open(3, "data", "r")
    client.send(Data(3, b"words"), Data(3, b"", fin=True))
    frames = [await client.next() for _ in range(5)]
    assert frames == [SynReply(1), SynReply(3), Data(3, b"80 WORDS"), Data(3, b"", True), Data(1, b"", True)]


async def test_pings_come_back(start: Start) -> None:
    client = start(_upper)
    client.send(Ping(2), Ping(7))
    assert await client.next() == Ping(7)


async def test_what_was_consumed_is_told(start: Start) -> None:
    async def swallow(_port: int, lane: Lane) -> None:
        while await lane.read():
            pass
        await lane.finish()

    client = start(swallow)
    client.open(1, "data", "r")
    client.open(3, "error", "r")
    client.send(Data(1, b"x" * 40_000))
    frames = [await client.next() for _ in range(4)]
    assert frames[2:] == [WindowUpdate(1, 40_000), WindowUpdate(0, 40_000)]


async def test_a_reset_ends_the_connection_and_nothing_is_written_to_it(start: Start) -> None:
    ended = asyncio.Event()

    async def serve(_port: int, lane: Lane) -> None:
        assert await lane.read() == b""
        try:
            await lane.write(b"too late")
        finally:
            ended.set()

    client = start(serve)
    client.open(1, "error", "r")
    client.open(3, "data", "r")
    client.send(Reset(3, spdy.CANCEL))
    await asyncio.wait_for(ended.wait(), LIMIT)
    client.send(Ping(9))
    assert [await client.next() for _ in range(3)] == [SynReply(1), SynReply(3), Ping(9)]


@pytest.mark.parametrize(
    "headers",
    [
        {"streamType": "data", "port": "80"},
        {"streamType": "other", "port": "80", "requestID": "1"},
        {"streamType": "data", "port": "0", "requestID": "1"},
    ],
)
async def test_streams_that_are_no_port_forward_are_reset(start: Start, headers: dict[str, str]) -> None:
    client = start(_upper)
    client.send(SynStream(1, headers))
    assert await client.next() == Reset(1, spdy.PROTOCOL_ERROR)


async def test_too_many_streams_are_refused(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel, "_MAX_STREAMS", 2)
    client = start(_upper)
    for number in (1, 3, 5):
        client.open(number, "data", str(number))
    assert [await client.next() for _ in range(3)] == [SynReply(1), SynReply(3), Reset(5, spdy.REFUSED_STREAM)]


@pytest.mark.parametrize(("second", "kind"), [(1, "error"), (2, "error"), (3, "data")])
async def test_impossible_pairs_end_the_tunnel(start: Start, second: int, kind: str) -> None:
    client = start(_upper)
    client.open(1, "data", "r")
    client.open(second, kind, "r")
    frames = []
    while (frame := await client.next()) is not None:
        frames.append(frame)
    assert isinstance(frames[-1], GoAway)


async def test_a_slow_connection_does_not_grow_memory(start: Start) -> None:
    async def stuck(_port: int, _lane: Lane) -> None:
        await asyncio.Event().wait()

    client = start(stuck)
    client.open(1, "data", "r")
    client.open(3, "error", "r")
    for _ in range(20):
        client.send(Data(1, b"x" * 100_000))
    await asyncio.sleep(0.01)
    assert client._to_server.qsize() > 10
    client.send(Ping(11))
    assert [await client.next() for _ in range(2)] == [SynReply(1), SynReply(3)]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.next(), 0.05)
