"""A light HTTP/1.1 load generator in a process of its own: one request in flight per connection, over TLS.

`run(spec)` starts it as `python -m benchmarks.load`, hands it the spec on standard input (keys do not belong on a
command line) and reads what it measured. It is used for Skerry and for the floors alike, so its own cost cancels out.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import cast

import uvloop

WARM_UP = 0.5
"""Seconds before counting begins: connections, code paths, caches."""
NUMBER = "@number@"
"""Replaced by a number never used before, in every request's path and body."""


@dataclass(frozen=True)
class Spec:
    """What to ask, of whom, how long. `identity` is a PEM client certificate and key."""

    host: str
    port: int
    authority: str
    identity: str
    method: str
    path: str
    connections: int
    seconds: float
    body: str = ""


@dataclass(frozen=True)
class Measured:
    """Answers per second with the expected code, latencies in milliseconds, what else came back."""

    per_second: float
    p50: float
    p99: float
    unexpected: dict[str, int] = field(default_factory=dict)
    sample: str = ""
    """The beginning of an answer, preferably of an unexpected one."""


async def run(spec: Spec) -> Measured:
    """Measure. Raises RuntimeError if any answer was not the expected one."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.load", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output, errors = await process.communicate(json.dumps(asdict(spec)).encode())
    if process.returncode != 0:
        raise RuntimeError(f"load generator failed:\n{errors.decode()}")
    measured = Measured(**json.loads(output))
    if measured.unexpected or not measured.per_second:
        raise RuntimeError(f"{spec.method} {spec.path}: answers {measured.unexpected}: {measured.sample}")
    return measured


class Run:
    """The generator's state: what all connections share."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.numbers = count(time.time_ns() // 1000 % 10**9 * 1000)
        self.template = _request(spec)
        self.numbered = NUMBER.encode() in self.template
        self.start = time.perf_counter() + WARM_UP
        self.end = self.start + spec.seconds
        self.latencies: list[float] = []
        self.codes: Counter[str] = Counter()
        self.sample = b""
        self.finished = asyncio.get_running_loop().create_future()
        self.open = spec.connections

    def request(self) -> bytes:
        """The next request."""
        return self.template.replace(NUMBER.encode(), b"%012d" % next(self.numbers)) if self.numbered else self.template

    def connection_done(self) -> None:
        """One connection has ended; the last one ends the run."""
        self.open -= 1
        if self.open == 0 and not self.finished.done():
            self.finished.set_result(None)


def _request(spec: Spec) -> bytes:
    body = spec.body.encode()
    length = len(body.replace(NUMBER.encode(), b"0" * 12))
    headers = [f"{spec.method} {spec.path} HTTP/1.1", f"Host: {spec.host}:{spec.port}", "Accept: application/json"]
    if body:
        headers += ["Content-Type: application/json", f"Content-Length: {length}"]
    return "\r\n".join([*headers, "", ""]).encode() + body


class Connection(asyncio.Protocol):
    """One connection: a request, its whole answer, the next request."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.transport: asyncio.Transport
        self.sent = 0.0
        self.chunks: list[bytes] = []
        self.missing = -1
        """Bytes of the answer still to come; -1 before its head is complete, -2 while it is chunked."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self.transport = cast(asyncio.Transport, transport)
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """Count an end before its time."""
        if time.perf_counter() < self.run.end:
            self.run.codes[f"closed {error or ''}".strip()] += 1
        self.run.connection_done()

    def data_received(self, data: bytes) -> None:
        """Collect; an answer that is complete is counted."""
        self.chunks.append(data)
        if self.missing == -1:
            self._read_head()
        elif self.missing >= 0:
            self.missing -= len(data)
        if self.missing == 0 or (self.missing == -2 and b"".join(self.chunks[-2:]).endswith(b"\r\n0\r\n\r\n")):
            self._complete()

    def _read_head(self) -> None:
        answer = b"".join(self.chunks)
        self.chunks = [answer]
        head, found, rest = answer.partition(b"\r\n\r\n")
        if not found:
            return
        _, has_length, after = head.lower().partition(b"\r\ncontent-length:")
        self.missing = int(after.partition(b"\r\n")[0]) - len(rest) if has_length else -2

    def _complete(self) -> None:
        now = time.perf_counter()
        run = self.run
        if now >= run.start:
            run.codes[self.chunks[0][9:12].decode()] += 1
            run.latencies.append(now - self.sent)
            if not run.sample or not self.chunks[0].startswith(b"HTTP/1.1 20"):
                run.sample = b"".join(self.chunks).partition(b"\r\n\r\n")[2]
        if now < run.end:
            self._send()
        else:
            self.transport.close()

    def _send(self) -> None:
        self.chunks, self.missing = [], -1
        self.sent = time.perf_counter()
        self.transport.write(self.run.request())


async def measure(spec: Spec) -> Measured:
    """Open the connections and count."""
    tls = ssl.create_default_context(cadata=spec.authority)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as identity:
        identity.write(spec.identity)
        identity.flush()
        tls.load_cert_chain(identity.name)
    run = Run(spec)
    loop = asyncio.get_running_loop()
    for _ in range(spec.connections):
        await loop.create_connection(lambda: Connection(run), spec.host, spec.port, ssl=tls)
    await asyncio.wait_for(run.finished, WARM_UP + spec.seconds + 30)
    return _measured(run)


def _measured(run: Run) -> Measured:
    latencies = sorted(run.latencies) or [0.0]
    expected = "201" if run.spec.method == "POST" else "200"
    return Measured(
        per_second=run.codes[expected] / run.spec.seconds,
        p50=latencies[len(latencies) // 2] * 1000,
        p99=latencies[len(latencies) * 99 // 100] * 1000,
        unexpected={code: times for code, times in run.codes.items() if code != expected},
        sample=run.sample[:500].decode(errors="replace"),
    )


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(measure(Spec(**json.load(sys.stdin)))))))
