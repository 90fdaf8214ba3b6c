"""How a command in a container ended, by the Status that closes its connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from skerry.kube.errors import StatusError
from skerry.kube.exec import Ended, Place, exit_code, pour, run
from skerry.kube.http_client import HttpClient
from skerry.kube.kubeconfig import Connection


def test_the_exit_code_is_in_the_status() -> None:
    cause = {"reason": "ExitCode", "message": "3"}
    failed = {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": [cause]}}
    assert exit_code({"status": "Success"}) == 0
    assert exit_code(failed) == 3


def test_a_command_that_could_not_be_run_is_an_error() -> None:
    with pytest.raises(StatusError, match="executable not found"):
        exit_code({"status": "Failure", "code": 500, "message": "executable not found", "reason": "InternalError"})


@asynccontextmanager
async def saying(*messages: bytes) -> AsyncIterator[HttpClient]:
    """A cluster whose every command says this."""

    async def answer(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io",))
        await socket.prepare(request)
        for message in messages:
            await socket.send_bytes(message)
        await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/api/v1/namespaces/a/pods/b/exec", answer)
    async with TestServer(app) as server, HttpClient(Connection(str(server.make_url("")).rstrip("/"))) as client:
        yield client


async def test_output_is_given_on_as_it_comes_and_the_end_is_told() -> None:
    pieces: list[bytes] = []
    failed = orjson.dumps(
        {"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": "3"}]}, "code": 500}
    )
    async with saying(b"\x01abc", b"\x02why", b"\x01" + bytes(70_000), b"\x03" + failed) as client:
        ended = await pour(client, Place("a", "b", "c"), ["cat", "x"], pieces.append)
        assert (ended.code, ended.errors, [len(one) for one in pieces]) == (3, "why", [3, 70_000])
    async with saying(b"\x01a\nb\n", b'\x03{"status":"Success"}') as client:
        lines: list[int] = []
        assert (await run(client, Place("a", "b", "c"), ["ls"], lines.append)) == Ended(0, "a\nb\n", "")
        assert lines == [2]


async def test_a_connection_that_breaks_is_not_taken_for_the_end() -> None:
    async with saying(b"\x01half") as client:
        with pytest.raises(ConnectionError, match="ended before the command did"):
            await pour(client, Place("a", "b", "c"), ["cat", "x"], lambda _data: None)
