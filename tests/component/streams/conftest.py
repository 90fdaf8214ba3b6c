"""A running server over local pods, and kubectl against it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.component.streams.local_pods import LocalPods
from tests.component.streams.server import serving
from tests.support.api import RunningApi
from tests.support.program import program_path
from tests.support.waiting import LIMIT


@dataclass(frozen=True, slots=True)
class Done:
    """A finished program."""

    code: int
    out: bytes
    err: str


@dataclass(frozen=True, slots=True)
class Kubectl:
    """The real kubectl against one server."""

    kubeconfig: Path
    home: Path

    async def start(self, *words: str, terminal: int | None = None) -> asyncio.subprocess.Process:
        """On pipes, or on a terminal."""
        stdio = asyncio.subprocess.PIPE if terminal is None else terminal
        return await asyncio.create_subprocess_exec(
            program_path("kubectl"), "--kubeconfig", str(self.kubeconfig), "--cache-dir", str(self.home), *words,
            stdin=stdio, stdout=stdio, stderr=stdio,
        )  # fmt: skip

    async def __call__(self, *words: str, stdin: bytes = b"") -> Done:
        process = await self.start(*words)
        out, err = await asyncio.wait_for(process.communicate(stdin), 2 * LIMIT)
        assert process.returncode is not None
        return Done(process.returncode, out, err.decode())


@pytest.fixture
def pods(tmp_path: Path) -> LocalPods:
    log = tmp_path / "container.log"
    log.write_text("one\ntwo\n")
    return LocalPods(log)


@pytest.fixture
async def server(pods: LocalPods) -> AsyncIterator[RunningApi]:
    async with serving(pods) as running:
        yield running


@pytest.fixture
def kubectl(server: RunningApi, tmp_path: Path) -> Kubectl:
    return Kubectl(server.kubeconfig, tmp_path)


Eventually = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
def eventually() -> Eventually:
    """Wait until a condition holds."""

    async def wait(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(LIMIT):
            while not condition():
                await asyncio.sleep(0.01)

    return wait
