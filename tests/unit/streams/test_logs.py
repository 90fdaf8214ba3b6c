"""Log options and their refusals; a log that fails at once is an answer, one that is silent is a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from skerry.engine.api.pod_access import LogOptions
from skerry.engine.api.streams.logs import log_options, open_log
from skerry.engine.api.streams.targets import parse_query
from skerry.kube.errors import BadRequest, Invalid

POD: Any = {"metadata": {"name": "web"}, "spec": {"nodeName": "here", "containers": [{"name": "a"}]}}


class Logs:
    """The part of `PodAccess` that logs need; `script` is what the container says."""

    def __init__(self, *script: bytes | Exception | float) -> None:
        self.script = script
        self.asked: LogOptions | None = None
        self.ended = False

    async def logs(self, _pod: Any, _container: str, options: LogOptions) -> AsyncIterator[bytes]:
        self.asked = options
        try:
            for step in self.script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                else:
                    yield step
        finally:
            self.ended = True


async def _open(logs: Logs, query: bytes = b"") -> AsyncIterator[bytes]:
    return await open_log(logs, POD, query)  # type: ignore[arg-type]


def test_all_options() -> None:
    query = b"follow=true&previous=1&timestamps=true&tailLines=0&limitBytes=9&sinceTime=2026-01-02T03:04:05%2B01:00"
    assert log_options(parse_query(query + b"&insecureSkipTLSVerifyBackend=true"), "web") == LogOptions(
        follow=True,
        previous=True,
        timestamps=True,
        tail_lines=0,
        limit_bytes=9,
        since_time=datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (b"tailLines=-1", "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        (b"limitBytes=0", "limitBytes: Invalid value: 0: must be greater than 0"),
        (b"sinceSeconds=0", "sinceSeconds: Invalid value: 0: must be greater than 0"),
        (
            b"sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z",
            "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
        ),
        (b"stream=x", 'stream: Unsupported value: "x": supported values: "All", "Stderr", "Stdout"'),
        (
            b"stream=Stdout&tailLines=1",
            "Forbidden: `tailLines` and specific `stream` are mutually exclusive for now",
        ),
    ],
)
def test_options_that_make_no_sense(query: bytes, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        log_options(parse_query(query), "web")
    assert caught.value.message == f'PodLogOptions "web" is invalid: {message}'


@pytest.mark.parametrize("query", [b"tailLines=x", b"limitBytes=9223372036854775808", b"sinceTime=yesterday"])
def test_options_that_cannot_be_read(query: bytes) -> None:
    with pytest.raises(BadRequest):
        log_options(parse_query(query), "web")


async def test_chunks_pass_through() -> None:
    logs = Logs(b"one", b"two")
    assert [chunk async for chunk in await _open(logs, b"tailLines=5")] == [b"one", b"two"]
    assert logs.asked == LogOptions(tail_lines=5)
    assert logs.ended


async def test_a_failure_before_the_first_chunk_is_raised_at_once() -> None:
    with pytest.raises(BadRequest, match="no such"):
        await _open(Logs(BadRequest("no such")))


async def test_a_silent_log_begins_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skerry.engine.api.streams.logs._PATIENCE", 0.01)
    assert [chunk async for chunk in await _open(Logs(0.05, b"late"))] == [b"late"]


async def test_leaving_ends_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skerry.engine.api.streams.logs._PATIENCE", 0.01)
    logs = Logs(b"one", 100.0)
    chunks = await _open(logs)
    assert await anext(chunks) == b"one"
    await chunks.aclose()  # type: ignore[attr-defined]
    assert logs.ended


async def test_a_pod_without_a_node_has_an_empty_log() -> None:
    pod = {**POD, "spec": {"containers": [{"name": "a"}]}}
    assert [chunk async for chunk in await open_log(Logs(b"x"), pod, b"")] == []  # type: ignore[arg-type]
