"""Servers that stay silent, talk rubbish, do not sign, or live in another time: what is said of them."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import dns.message
import dns.rcode
import pytest

from skerry.engine.controllers.dynamic_dns import session, updating
from skerry.engine.controllers.dynamic_dns.failures import ServerTrouble
from skerry.engine.controllers.dynamic_dns.server import UpdateServer
from skerry.engine.controllers.dynamic_dns.updating import RecordSet
from tests.support.dns_servers import KEY, ZONE, Bind, running

RECORD = RecordSet(f"web.{ZONE}", "A", ["192.0.2.1"], 60)
Answer = Callable[[bytes], bytes | None]


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[UpdateServer]:
    """A server that answers what the test wants; None ends the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            if (reply := answer(await reader.readexactly(length))) is not None:
                writer.write(reply)
                await reader.read()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield UpdateServer("127.0.0.1", ZONE, KEY, server.sockets[0].getsockname()[1])


def framed(wire: bytes) -> bytes:
    return struct.pack("!H", len(wire)) + wire


def unsigned(question: bytes) -> bytes:
    """Somebody in between who has no key says that all is done."""
    reply = dns.message.make_response(dns.message.from_wire(question, keyring=False))
    reply.set_rcode(dns.rcode.NOERROR)
    return framed(reply.to_wire())


def of_another_question(question: bytes) -> bytes:
    return framed(dns.message.make_response(dns.message.make_query("example.net.", "A")).to_wire())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (unsigned, "BadSignature"),
        (of_another_question, "BadAnswer"),
        (lambda question: framed(b"rubbish"), "BadAnswer"),
        (lambda question: framed(b""), "BadAnswer"),
        (lambda question: None, "Unreachable"),
        (lambda question: b"", "TimedOut"),
        (lambda question: b"\xff\xff" + question, "TimedOut"),
    ],
    ids=["unsigned", "another question", "rubbish", "empty", "hangs up", "silent", "stops in the middle"],
)
async def test_what_is_no_answer_is_named(answer: Answer, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if reason == "TimedOut":
        monkeypatch.setattr(session, "PATIENCE", 0.3)
    async with answering(answer) as server:
        with pytest.raises(ServerTrouble) as failed:
            await updating.replace(server, RECORD)
        assert failed.value.reason == reason
        assert KEY.secret not in str(failed.value)


async def test_clocks_that_differ_are_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(Bind(tmp_path)) as server:
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() - 3600)
        with pytest.raises(ServerTrouble) as failed:
            await updating.replace(server.target, RECORD)
        assert failed.value.reason == "BadTime"
