"""HTTP/1.1 on one connection: order, bodies in pieces, limits, and when it ends. On the event loop the engine uses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import orjson
import pytest
import uvloop

from skerry.engine.api.http import connection, exchange
from skerry.kube.resources import CONFIG_MAPS
from tests.support.api import RunningApi, running_api
from tests.support.waiting import LIMIT, until
from tests.unit.api.raw_http import connect

CMS = "/api/v1/namespaces/default/configmaps"
Conversation = Callable[[RunningApi, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def converse(conversation: Conversation) -> None:
    """Run a conversation on a connection of its own."""

    async def run() -> None:
        async with running_api() as api, asyncio.timeout(LIMIT):
            reader, writer = await connect(api)
            try:
                await conversation(api, reader, writer)
            finally:
                writer.transport.abort()

    uvloop.run(run())


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """The next answer that has a length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


def create(name: str, size: int = 10) -> tuple[bytes, bytes]:
    """Head (without the end) and body of a creation."""
    body = orjson.dumps({"metadata": {"name": name}, "data": {"text": "x" * size}})
    return f"POST {CMS} HTTP/1.1\r\nhost: x\r\n".encode(), body


def test_pipelined_requests_are_answered_in_order() -> None:
    async def conversation(api: RunningApi, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = b""
        for number in range(20):
            head, body = create(f"c-{number}")
            sent += b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body)
            sent += f"GET {CMS}/c-{number} HTTP/1.1\r\nhost: x\r\n\r\n".encode()
        writer.write(sent)
        for number in range(20):
            for code in (201, 200):
                got, _, body = await answer(reader)
                assert (got, orjson.loads(body)["metadata"]["name"]) == (code, f"c-{number}")

    converse(conversation)


class Transport(asyncio.Transport):
    """Counts answers, and knows whether it is read from."""

    def __init__(self) -> None:
        super().__init__()
        self.reading, self.answers = True, 0

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.answers += bytes(data).count(b"HTTP/1.1 200")

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        raise AssertionError("nobody closes it")


async def test_nothing_is_taken_in_while_a_request_waits_for_the_answer_before() -> None:
    """Otherwise every answer would let in as many requests as fit into one read, and all of them would be kept."""
    may_answer = asyncio.Semaphore(0)

    async def serve(exchange: exchange.Exchange) -> None:
        await may_answer.acquire()
        await exchange.reply(200, b"text/plain", b"ok")

    transport = Transport()
    serving = connection.Serving(serve, None, lambda path, protocol: False)
    served = connection.Connection(serving)
    served.connection_made(transport)
    served.data_received(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 3)
    may_answer.release()
    await until(lambda: transport.answers == 1)
    assert not transport.reading
    may_answer.release()
    await until(lambda: transport.answers == 2 and transport.reading)
    may_answer.release()
    await until(lambda: transport.answers == 3)
    served.connection_lost(None)
    await until(lambda: not serving.state.tasks)


async def test_one_task_serves_a_connection_and_ends_with_it() -> None:
    served_by = []

    async def serve(exchange: exchange.Exchange) -> None:
        served_by.append(asyncio.current_task())
        await exchange.reply(200, b"text/plain", b"ok")

    transport = Transport()
    serving = connection.Serving(serve, None, lambda path, protocol: False)
    served = connection.Connection(serving)
    served.connection_made(transport)
    for number in (1, 2, 3):
        served.data_received(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await until(lambda: transport.answers == number)  # noqa: B023  # awaited here
    assert set(served_by) == serving.state.tasks
    served.connection_lost(None)
    await until(lambda: not serving.state.tasks)


def test_a_body_comes_in_chunks_and_after_an_invitation() -> None:
    async def conversation(api: RunningApi, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, body = create("chunked", 300_000)
        writer.write(head + b"transfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        for start in range(0, len(body), 50_000):
            piece = body[start : start + 50_000]
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await asyncio.sleep(0)
        writer.write(b"0\r\n\r\n")
        code, _, made = await answer(reader)
        assert (code, orjson.loads(made)["data"]["text"]) == (201, "x" * 300_000)

    converse(conversation)


def test_a_body_nobody_reads_does_not_spoil_what_follows() -> None:
    async def conversation(api: RunningApi, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        unread = b"x" * (exchange.BODY_LIMIT // 2)
        writer.write(b"GET /version HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(unread) + unread)
        writer.write(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await answer(reader))[0] == 200
        assert (await answer(reader))[2] == b"ok"

    converse(conversation)


def test_too_large_a_body_is_refused_and_the_connection_lives() -> None:
    async def conversation(api: RunningApi, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, body = create("large", exchange.BODY_LIMIT)
        writer.write(head + b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        assert (await answer(reader))[0] == 413
        writer.write(head + b"content-length: %d\r\n\r\n%b" % (len(body), body))
        assert (await answer(reader))[0] == 413
        writer.write(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await answer(reader))[0] == 200

    converse(conversation)


@pytest.mark.parametrize("end", [b"HTTP/1.0\r\n\r\n", b"HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"])
def test_it_ends_with_the_answer_when_the_client_says_so(end: bytes) -> None:
    async def conversation(api: RunningApi, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET /livez " + end)
        _, headers, _ = await answer(reader)
        assert headers["connection"] == "close"
        assert await reader.read() == b""

    converse(conversation)


def test_a_head_has_no_body() -> None:
    async def conversation(api: RunningApi, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HEAD /livez HTTP/1.1\r\nhost: x\r\n\r\nGET http://somewhere/livez?x HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"content-length: 2\r\n" in await reader.readuntil(b"\r\n\r\n")
        assert (await answer(reader))[2] == b"ok"

    converse(conversation)


def test_an_idle_connection_is_closed_one_that_waits_for_an_answer_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "KEEP_ALIVE", 0.1)

    async def conversation(api: RunningApi, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"GET {CMS}?watch=1&timeoutSeconds=1 HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        began = asyncio.get_running_loop().time()
        streamed = await reader.readuntil(b"0\r\n\r\n")
        assert streamed.startswith(b"HTTP/1.1 200 ")
        assert asyncio.get_running_loop().time() - began > 0.9
        assert await reader.read() == b""

    converse(conversation)


def test_a_client_that_goes_while_it_sends_leaves_nothing() -> None:
    async def conversation(api: RunningApi, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, body = create("half")
        writer.write(head + b"content-length: %d\r\n\r\n%b" % (len(body) + 1, body))
        await writer.drain()
        state = api.server._serving.state
        await until(lambda: state.tasks)
        writer.transport.abort()
        await until(lambda: not state.tasks and not state.connections)
        assert api.store.count("configmaps", "default") == 0

    converse(conversation)


@pytest.mark.parametrize(
    "sent", [b"GET /livez HTT", b"POST " + CMS.encode() + b" HTTP/1.1\r\ncontent-length: 99\r\n\r\n{"]
)
def test_who_never_ends_a_request_is_cut_off(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(connection, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.2)

    async def conversation(api: RunningApi, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await answer(reader))[0] == 200
        await asyncio.sleep(0.3)
        writer.write(sent)  # its own time begins now
        await writer.drain()
        state = api.server._serving.state
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            while True:
                writer.write(b" ")  # a byte now and then does not help
                await asyncio.sleep(0.02)
                await writer.drain()
                if not state.connections:
                    await reader.readexactly(1)
        await until(lambda: not state.tasks)

    converse(conversation)


def test_who_does_not_read_a_big_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LOOK_EVERY", 0.05)

    async def conversation(api: RunningApi, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(20):
            await api.client.create(
                CONFIG_MAPS, {"metadata": {"name": f"c-{number}"}, "data": {"a": "x" * 900_000}}, "default"
            )
        writer.transport.pause_reading()
        writer.write(f"GET {CMS} HTTP/1.1\r\nhost: x\r\n\r\n".encode() * 10)
        state = api.server._serving.state
        await until(lambda: state.connections and state.tasks)
        await until(lambda: not state.tasks and not state.connections)

    converse(conversation)
