"""The load of a fan-out, in a process of its own: many watches of one collection, and writes to it at a steady rate.

Every write carries the time at which it was due, so that a write the server delays counts with its delay; every
watcher notes how long ago that was. `run(spec)` starts it as `python -m benchmarks.fan_out_load`.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import subprocess
import sys
import tempfile
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import cast

import uvloop

WARM_UP = 1.0
"""Seconds of writes that are not counted."""
WRITERS = 8
"""Connections that write; more requests than that are never under way."""
SENT = "@sent@"
"""Replaced, in the body of every write, by the nanosecond at which it was due."""
_MARK = re.compile(rb'"due-(\d{20})"')


@dataclass(frozen=True)
class Spec:
    """Whom to watch and to write to, how often, how long. `identity` is a PEM client certificate and key."""

    host: str
    port: int
    authority: str
    identity: str
    collection: str
    body: str
    watchers: int
    per_second: int
    seconds: float


@dataclass(frozen=True)
class Measured:
    """Milliseconds from when a write was due to when a watcher had its event; the events that never came."""

    p50: float
    p99: float
    missing: int


async def run(spec: Spec) -> Measured:
    """Measure. Raises RuntimeError when events were lost."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.fan_out_load", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate(json.dumps(asdict(spec)).encode())
    if process.returncode != 0:
        raise RuntimeError("the fan-out load failed")
    measured = Measured(**json.loads(output))
    if measured.missing:
        raise RuntimeError(f"{measured.missing} events did not reach a watcher")
    return measured


def name_of(due: int) -> str:
    """The name of the object written at `due` nanoseconds, which watchers find in its event."""
    return f"due-{due:020}"


class Watcher(asyncio.Protocol):
    """One watch: notes the age of every event."""

    def __init__(self, request: bytes, counted_from: int, ages: list[int]) -> None:
        self._request = request
        self._counted_from = counted_from
        self._ages = ages
        self._rest = b""
        self.open = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        cast(asyncio.Transport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        """Find the marks; one may be cut in two."""
        now = time.perf_counter_ns()
        if not self.open.done():
            self.open.set_result(None)
        data = self._rest + data
        end = 0
        for mark in _MARK.finditer(data):
            end = mark.end()
            due = int(mark[1])
            if due >= self._counted_from:
                self._ages.append(now - due)
        self._rest = data[max(end, len(data) - 30) :]


class Writer(asyncio.Protocol):
    """One connection that writes: one request under way at a time."""

    def __init__(self, free: deque[Writer]) -> None:
        self._free = free

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready to write."""
        self.transport = cast(asyncio.Transport, transport)
        self._free.append(self)

    def data_received(self, data: bytes) -> None:
        """The answer, in one piece as it is small."""
        if not data.startswith(b"HTTP/1.1 201 "):
            raise SystemExit(data.decode(errors="replace"))
        self._free.append(self)


async def measure(spec: Spec) -> Measured:
    """Open the watches, write, wait for the last event."""
    tls = ssl.create_default_context(cadata=spec.authority)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as identity:
        identity.write(spec.identity)
        identity.flush()
        tls.load_cert_chain(identity.name)
    loop = asyncio.get_running_loop()
    ages: list[int] = []
    free: deque[Writer] = deque()
    begin = time.perf_counter_ns() + 2 * 10**9
    counted_from = begin + int(WARM_UP * 10**9)
    for _ in range(WRITERS):
        await loop.create_connection(lambda: Writer(free), spec.host, spec.port, ssl=tls)
    head = f"GET {spec.collection}?watch=1 HTTP/1.1\r\nHost: {spec.host}\r\n\r\n".encode()
    for _ in range(spec.watchers):
        _, watcher = await loop.create_connection(
            lambda: Watcher(head, counted_from, ages), spec.host, spec.port, ssl=tls
        )
        await watcher.open
    written = await _write(spec, free, begin, counted_from)
    deadline = loop.time() + 10
    while len(ages) < written * spec.watchers and loop.time() < deadline:
        await asyncio.sleep(0.05)
    ages.sort()
    p50, p99 = (ages[len(ages) * percent // 100] / 1e6 for percent in (50, 99))
    return Measured(p50, p99, written * spec.watchers - len(ages))


async def _write(spec: Spec, free: deque[Writer], begin: int, counted_from: int) -> int:
    """Write at every tick, late ones as soon as a connection is free; how many of them count."""
    interval, counted = 10**9 // spec.per_second, 0
    for number in range(int((WARM_UP + spec.seconds) * spec.per_second)):
        due = begin + number * interval
        while (now := time.perf_counter_ns()) < due or not free:
            await asyncio.sleep(max((due - now) / 1e9, 0.0002))
        counted += due >= counted_from
        body = spec.body.replace(SENT, name_of(due)).encode()
        fields = f"Host: {spec.host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        free.popleft().transport.write(f"POST {spec.collection} HTTP/1.1\r\n{fields}\r\n\r\n".encode() + body)
    return counted


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(measure(Spec(**json.load(sys.stdin)))))))
