"""Named pipes, log following and connections with real files and sockets, without containers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

import pytest

from skerry.engine.node.access import network_namespace
from skerry.engine.node.access.fifo import FifoReader, FifoWriter
from skerry.engine.node.access.log_reader import read_log
from skerry.engine.node.access.network_namespace import connect
from skerry.engine.node.containerd import processes
from skerry.engine.processes import ended
from skerry.kube.errors import InternalError
from skerry.kube.pod_streams import LogOptions
from skerry.kube.tasks import stop
from tests.support.waiting import LIMIT

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def record(text: str) -> str:
    return f"2026-01-02T03:04:05Z stdout F {text}\n"


async def never() -> None:
    await asyncio.Event().wait()


async def test_fifo_reader_waits_for_its_writer_and_sees_the_end(tmp_path: Path) -> None:
    reader = FifoReader(tmp_path / "fifo")
    reading = asyncio.create_task(reader.read())
    await asyncio.sleep(0.05)
    assert not reading.done()
    writer = os.open(tmp_path / "fifo", os.O_WRONLY)
    os.write(writer, b"hello")
    assert await reading == b"hello"
    os.close(writer)
    assert await reader.read() == b""
    reader.close()
    reader.close()


async def test_fifo_writer_waits_while_the_pipe_is_full(tmp_path: Path) -> None:
    writer = FifoWriter(tmp_path / "fifo")
    writing = asyncio.create_task(writer.write(b"x" * 300_000))
    await asyncio.sleep(0.05)
    assert not writing.done()
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    got = 0
    while got < 300_000:
        with contextlib.suppress(BlockingIOError):
            got += len(os.read(reader, 1 << 16))
        await asyncio.sleep(0)
    await writing
    writer.close()
    assert os.read(reader, 10) == b""
    os.close(reader)


async def test_follow_gives_whole_lines_only_and_crosses_rotation(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    path.write_text(record("one"))
    end = asyncio.Event()
    chunks: asyncio.Queue[bytes] = asyncio.Queue()

    async def follow() -> None:
        async for chunk in read_log(path, LogOptions(follow=True), NOW, end.wait):  # type: ignore[arg-type]
            chunks.put_nowait(chunk)

    following = asyncio.create_task(follow())
    async with asyncio.timeout(LIMIT):
        assert await chunks.get() == b"one\n"
        with path.open("a") as file:
            file.write(record("two")[:-3])
            file.flush()
            await asyncio.sleep(0.05)
            assert chunks.empty()
            file.write(record("two")[-3:])
        assert await chunks.get() == b"two\n"
        path.rename(tmp_path / "0.log.old")
        path.write_text(record("three"))
        assert await chunks.get() == b"three\n"
        with (tmp_path / "0.log.old").open("a") as file:
            file.write(record("late"))
        assert await chunks.get() == b"late\n", "containerd leaves the old file after it has made the new one"
        with path.open("a") as file:
            file.write(record("last").rstrip("\n"))
        end.set()
        await following
    assert b"".join(chunks.get_nowait() for _ in range(chunks.qsize())) == b"last\n"


async def test_log_that_is_not_there(tmp_path: Path) -> None:
    assert [chunk async for chunk in read_log(tmp_path / "x", LogOptions(), NOW, never)] == []
    with pytest.raises(InternalError, match="cannot read"):
        [chunk async for chunk in read_log(tmp_path, LogOptions(), NOW, never)]


async def test_connect_in_our_own_namespace(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connected = await connect(0, port)
    connected.close()
    server.close()
    await server.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        await connect(0, port)


async def test_a_socket_that_nobody_waits_for_any_more_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    made: Future[socket.socket] = Future()
    make = network_namespace._make

    def slowly(pid: int, family: int, future: Future[socket.socket]) -> None:
        begun.set()
        go_on.wait(LIMIT)
        make(pid, family, future)
        made.set_result(future.result())

    monkeypatch.setattr(network_namespace, "_make", slowly)
    connecting = asyncio.create_task(connect(0, 1))
    assert await asyncio.to_thread(begun.wait, LIMIT)
    await stop(connecting)
    go_on.set()
    assert made.result(LIMIT).fileno() == -1


async def test_end_of_a_process_is_noticed_and_children_are_reaped() -> None:
    child = os.posix_spawn("/bin/sleep", ["sleep", "1000"], {})
    waiting = asyncio.create_task(ended(child))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    assert await asyncio.to_thread(processes.kill_and_wait, [child]) == []
    await asyncio.wait_for(waiting, LIMIT)
    with pytest.raises(ChildProcessError):
        os.waitpid(child, os.WNOHANG)
    await ended(child)
