"""Commands over SPDY, told by a client that speaks frames: which streams, in which versions, how it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from skerry.engine.api.pod_access import STDERR, STDOUT, StreamOptions
from skerry.engine.api.streams import spdy, spdy_command
from skerry.engine.api.streams.remote_command import RemoteCommand
from skerry.engine.api.streams.spdy import Data, Frame, GoAway, Reset, Settings, SynReply, SynStream, WindowUpdate
from skerry.engine.api.streams.spdy_command import VERSIONS, SpdyCommand
from tests.support.waiting import LIMIT, until
from tests.unit.streams.spdy_client import Client

BY_NAME = {version.name: version for version in VERSIONS}
V4 = BY_NAME["v4.channel.k8s.io"]
EVERYTHING = StreamOptions(stdin=True, stdout=True, stderr=True)
TERMINAL = StreamOptions(stdin=True, stdout=True, stderr=False, tty=True)


class Session:
    """A command that the test is."""

    def __init__(self, code: int = 0) -> None:
        self.stdin: list[bytes] = []
        self.stdin_ended = asyncio.Event()
        self.starts, self.reads, self.resizes = asyncio.Event(), asyncio.Event(), asyncio.Event()
        for event in (self.starts, self.reads, self.resizes):
            event.set()
        self.says: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue()
        self.sizes: list[tuple[int, int]] = []
        self.closed = False
        self._code = code

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        while (said := await self.says.get()) is not None:
            yield said

    async def write_stdin(self, data: bytes) -> None:
        await self.reads.wait()
        self.stdin.append(data)

    async def close_stdin(self) -> None:
        self.stdin_ended.set()

    async def resize(self, width: int, height: int) -> None:
        await self.resizes.wait()
        self.sizes.append((width, height))

    async def wait(self) -> int:
        return self._code

    async def close(self) -> None:
        self.closed = True


@asynccontextmanager
async def running(
    session: Session, options: StreamOptions = EVERYTHING, version: spdy_command.CommandVersion = V4
) -> AsyncIterator[Client]:
    """A client whose command runs as soon as its streams are there; afterwards the session must be closed."""
    client = Client()

    async def start() -> Session:
        await session.starts.wait()
        return session

    command = RemoteCommand(SpdyCommand(client.link, version, options), stdin=options.stdin)
    task = asyncio.create_task(command.serve(start, attach=False))
    try:
        yield client
    finally:
        client.leave()
        await asyncio.wait_for(task, LIMIT)
        assert session.closed


def _open(client: Client, *kinds: str) -> None:
    for index, kind in enumerate(kinds):
        client.send(SynStream(2 * index + 1, {"streamType": kind}))


async def _opened(client: Client, *kinds: str) -> None:
    _open(client, *kinds)
    for index in range(len(kinds)):
        assert await client.next() == SynReply(2 * index + 1)


async def _rest(client: Client) -> list[Frame]:
    """Leaves when the server has said the outcome, which is what it waits for."""
    frames: list[Frame] = []
    while (frame := await client.next()) is not None:
        frames.append(frame)
        if frame == Data(1, getattr(frame, "data", b""), fin=True):
            client.leave()
    return frames


async def test_streams_arrive_apart_and_end_before_the_outcome() -> None:
    session = Session(code=3)
    async with running(session) as client:
        await _opened(client, "error", "stdin", "stdout", "stderr")
        for said in ((STDOUT, b"out"), (STDERR, b"err"), None):
            session.says.put_nowait(said)
        *ends, outcome = await _rest(client)
    assert ends[:2] == [Data(5, b"out"), Data(7, b"err")]
    assert {frame.stream for frame in ends[2:] if isinstance(frame, Data) and frame.fin} == {3, 5, 7}
    assert isinstance(outcome, Data)
    assert outcome.stream == 1
    assert json.loads(outcome.data)["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]
    assert client.link.frames.empty(), "said after the end"


@pytest.mark.parametrize("name", list(BY_NAME))
async def test_versions_tell_the_outcome_their_way(name: str) -> None:
    session, version = Session(code=7), BY_NAME[name]
    async with running(session, TERMINAL, version) as client:
        kinds = ["error", "stdin", "stdout", *(["resize"] if version.resizes else [])]
        await _opened(client, *kinds)
        session.says.put_nowait(None)
        outcome = (await _rest(client))[-1]
    assert isinstance(outcome, Data)
    if version.status:
        assert json.loads(outcome.data)["reason"] == "NonZeroExitCode"
    else:
        assert outcome.data == b"command terminated with non-zero exit code: 7"


async def test_the_command_begins_when_all_streams_are_there_and_stdin_is_half_closed() -> None:
    session = Session()
    async with running(session) as client:
        client.send(SynStream(1, {"streamType": "stdin"}), Data(1, b"early"))
        _open_more = [SynStream(3, {"streamType": "error"}), SynStream(5, {"streamType": "stdout"})]
        client.send(*_open_more)
        assert [await client.next() for _ in range(3)] == [SynReply(1), SynReply(3), SynReply(5)]
        assert session.stdin == []
        client.send(SynStream(7, {"streamType": "stderr"}), Data(1, b" late", fin=True))
        await asyncio.wait_for(session.stdin_ended.wait(), LIMIT)
        assert b"".join(session.stdin) == b"early late"
        session.says.put_nowait((STDOUT, b"still here"))
        assert [await client.next(), await client.next()] == [SynReply(7), Data(5, b"still here")]


async def test_missing_streams_are_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spdy_command, "_CREATION_SECONDS", 0.01)
    client = Client()
    command = RemoteCommand(SpdyCommand(client.link, V4, EVERYTHING), stdin=True)

    async def never() -> Session:
        raise AssertionError("begun without its streams")

    _open(client, "error", "stdin")
    await asyncio.wait_for(command.serve(never, attach=False), LIMIT)
    frames = [await client.next() for _ in range(4)]
    assert frames == [SynReply(1), SynReply(3), GoAway(3, spdy.PROTOCOL_ERROR), None]


@pytest.mark.parametrize("kind", ["", "data", "stdout"])
async def test_streams_that_are_none_or_there_already_are_reset(kind: str) -> None:
    session = Session()
    async with running(session) as client:
        await _opened(client, "error", "stdin", "stdout", "stderr")
        client.send(SynStream(9, {"streamType": kind}))
        assert await client.next() == Reset(9, spdy.PROTOCOL_ERROR)


async def test_a_terminal_is_resized_by_messages_however_they_are_cut() -> None:
    session = Session()
    async with running(session, TERMINAL) as client:
        await _opened(client, "error", "stdin", "stdout", "resize")
        client.send(Data(7, b'{"Width":80,"Hei'))
        client.send(Data(7, b'ght":24}\n'))
        await until(lambda: session.sizes == [(80, 24)])
        client.send(Data(7, b'{"Width":1,"Height":1}\n{"Width":100,"Height":40}\n'))
        await until(lambda: session.sizes[-1] == (100, 40))


async def test_what_is_typed_finds_the_terminal_as_large_as_the_client_said_first() -> None:
    session = Session()
    session.starts.clear()
    session.resizes.clear()
    async with running(session, TERMINAL) as client:
        await _opened(client, "error", "stdin", "stdout", "resize")
        client.send(Data(7, b'{"Width":80,"Height":24}'), Data(3, b"stty size\n"))
        await _turns()
        session.starts.set()
        await _turns()
        assert session.stdin == []
        session.resizes.set()
        await until(lambda: session.stdin == [b"stty size\n"])
        assert session.sizes == [(80, 24)]


async def _turns() -> None:
    """Whoever can go on has done so."""
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.mark.parametrize("said", [b"{}", b'{"Width":-1,"Height":1}', b"x" * 2000])
async def test_sizes_that_are_none_end_the_command(said: bytes) -> None:
    session = Session()
    async with running(session, TERMINAL) as client:
        await _opened(client, "error", "stdin", "stdout", "resize")
        client.send(Data(7, said))
        assert [await client.next(), await client.next()] == [GoAway(7, spdy.PROTOCOL_ERROR), None]


async def test_what_comes_for_streams_that_nobody_reads_is_dropped() -> None:
    session = Session()
    async with running(session, StreamOptions(stdout=True, stderr=False)) as client:
        await _opened(client, "error", "stdout", "stdin")
        for _ in range(40):
            client.send(Data(5, b"x" * 100_000), Data(3, b"x" * 100_000))
        await until(lambda: client.unread == 0)
        assert session.stdin == []


async def test_a_command_that_does_not_read_holds_the_client_back_and_still_answers() -> None:
    session = Session()
    session.reads.clear()
    async with running(session) as client:
        await _opened(client, "error", "stdin", "stdout", "stderr")
        for _ in range(20):
            client.send(Data(3, b"x" * 100_000))
        session.says.put_nowait((STDOUT, b"busy"))
        while (frame := await client.next()) != Data(5, b"busy"):
            assert isinstance(frame, WindowUpdate)
        assert client.unread > 10
        session.reads.set()
        await until(lambda: sum(map(len, session.stdin)) == 2_000_000)


async def test_a_client_that_gives_windows_gets_no_more_than_it_gives() -> None:
    session = Session()
    async with running(session) as client:
        client.send(Settings({7: 10}))
        await _opened(client, "error", "stdin", "stdout", "stderr")
        session.says.put_nowait((STDOUT, b"a" * 25))
        assert await client.next() == Data(5, b"a" * 10)
        session.says.put_nowait((STDERR, b"after it"))
        client.send(WindowUpdate(5, 12))
        assert await client.next() == Data(5, b"a" * 12)
        client.send(WindowUpdate(5, 12))
        assert [await client.next(), await client.next()] == [Data(5, b"aaa"), Data(7, b"after it")]


async def test_a_client_that_resets_its_output_ends_the_command() -> None:
    session = Session()
    async with running(session) as client:
        await _opened(client, "error", "stdin", "stdout", "stderr")
        client.send(Reset(5, spdy.CANCEL), Data(3, b"x"))
        await until(lambda: bool(session.stdin))
        session.says.put_nowait((STDOUT, b"for nobody"))
        await until(lambda: session.closed)
