"""A tunnel of port-forwards, told by a client that speaks frames: pairs, pings, resets, windows, limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from skerry.engine.api.streams import spdy, tunnel
from skerry.engine.api.streams.port_forward import Lane
from skerry.engine.api.streams.spdy import Data, GoAway, Ping, Reset, SynReply, SynStream, WindowUpdate
from skerry.engine.api.streams.tunnel import Tunnel
from tests.support.waiting import LIMIT
from tests.unit.streams.spdy_client import Client

Start = Callable[[Callable[[int, Lane], Awaitable[None]]], Client]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Run a tunnel; on the way out the client leaves and the tunnel must end with everything it started."""
    running: list[tuple[Client, asyncio.Task[None]]] = []

    def begin(serve: Any) -> Client:
        client = Client()
        running.append((client, asyncio.create_task(Tunnel(client.link, serve).run())))
        return client

    yield begin
    for client, task in running:
        client.leave()
        _, waiting = await asyncio.wait({task}, timeout=0.1)
        for stuck in waiting:  # behind a slow pod: `upgrade` cancels the conversation when the connection is lost
            stuck.cancel()
            await asyncio.wait({stuck})
    left = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]  # type: ignore[union-attr]
    assert not [name for name in left if name.startswith(("Tunnel.", "SpdySession."))]


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
    assert frames[:2] == [SynReply(1), SynReply(3)]
    assert WindowUpdate(1, 40_000) in frames[2:]
    assert WindowUpdate(0, 40_000) in frames[2:]


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


@pytest.mark.parametrize("kind", ["error", "data"])
async def test_a_stream_whose_other_one_does_not_come_is_ended(
    start: Start, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(tunnel, "_PAIR_SECONDS", 0.01)
    client = start(_upper)
    client.open(1, kind, "r")
    assert await client.next() == SynReply(1)
    said = b"timed out waiting for the request's other stream" if kind == "error" else b""
    assert await client.next() == Data(1, said, fin=True)
    client.open(3, "error", "r")
    client.open(5, "data", "r")
    client.send(Data(5, b"words"))
    assert [await client.next() for _ in range(3)] == [SynReply(3), SynReply(5), Data(5, b"80 WORDS")]


async def test_a_stream_that_was_reset_waits_for_nobody(start: Start) -> None:
    client = start(_upper)
    for number in (1, 3, 5):
        client.open(number, "error", "r")
        client.send(Reset(number, spdy.CANCEL))
        assert await client.next() == SynReply(number)
    client.open(7, "data", "r")
    client.open(9, "error", "r")
    client.send(Data(7, b"x"))
    assert [await client.next() for _ in range(3)] == [SynReply(7), SynReply(9), Data(7, b"80 X")]


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
    assert client.unread > 10
    client.send(Ping(11))
    assert [await client.next() for _ in range(2)] == [SynReply(1), SynReply(3)]
    given_back = 0
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            while isinstance(frame := await client.next(), WindowUpdate):
                given_back += frame.delta
            raise AssertionError(f"{frame} although nothing is read")
    assert given_back < 500_000
