"""The load generator measures what a server answers, and tells when it answers something else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from benchmarks import certificates, fixed_server, load
from benchmarks.endpoint import Endpoint

Answer = bytes


@asynccontextmanager
async def answering(folder: Path, answers: list[Answer], seen: list[bytes]) -> AsyncIterator[Endpoint]:
    """A TLS server that asks for a client certificate and gives these answers in turn."""
    authority, identity = certificates.make(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / fixed_server.CERTIFICATE, folder / fixed_server.KEY)
    context.load_verify_locations(folder / fixed_server.AUTHORITY)
    context.verify_mode = ssl.CERT_REQUIRED

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            seen.append(head + await reader.readexactly(length))
            for piece in answers[len(seen) % len(answers)].split(b"|"):  # in pieces, as the network may bring it
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=context)
    async with server:
        yield Endpoint("127.0.0.1", server.sockets[0].getsockname()[1], authority, identity)


SECONDS = 1.0
"""Long enough for one answer on a busy machine."""
WHOLE = b"HTTP/1.1 200 OK\r\nContent-|Length: 5\r\n\r\nhe|llo"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello|\r\n0\r\n|\r\n"


async def test_whole_and_chunked_answers_are_counted(tmp_path: Path) -> None:
    seen: list[bytes] = []
    async with answering(tmp_path, [WHOLE, CHUNKED], seen) as endpoint:
        measured = await load.run(endpoint.spec("GET", "/path", 2, SECONDS))
    assert 0 < measured.per_second * SECONDS <= len(seen)
    assert 0 < measured.p50 <= measured.p99
    assert seen[0].startswith(b"GET /path HTTP/1.1\r\n")


async def test_every_numbered_request_is_another(tmp_path: Path) -> None:
    seen: list[bytes] = []
    created = b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n"
    async with answering(tmp_path, [created], seen) as endpoint:
        await load.run(endpoint.spec("POST", "/", 2, SECONDS, f'{{"name":"{load.NUMBER}"}}'))
    assert len(set(seen)) == len(seen) > 1
    assert b"@" not in seen[0]


async def test_other_answers_are_an_error_that_shows_one(tmp_path: Path) -> None:
    refused = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 3\r\n\r\nno!"
    async with answering(tmp_path, [WHOLE, refused], []) as endpoint:
        with pytest.raises(RuntimeError, match=r"'403': \d+.*no!"):
            while True:
                measured = await load.run(endpoint.spec("GET", "/", 1, SECONDS))
                assert measured.per_second * SECONDS == 1, "of two answers one is refused"  # a busy machine gives one


async def test_the_floors_server_serves_its_body(tmp_path: Path) -> None:
    authority, identity = certificates.make(tmp_path)
    (tmp_path / fixed_server.BODY).write_bytes(b"x" * 200_000)
    with fixed_server.serving(tmp_path) as port:
        measured = await load.run(Endpoint("127.0.0.1", port, authority, identity).spec("GET", "/", 2, SECONDS))
    assert measured.per_second > 0
    assert measured.sample == "x" * 500
