"""A third party's driver as a process of its own, for tests: started, killed, started again on what it kept."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from skerry.engine.storage.csi.client import CsiClient
from tests.support.csi_driver import calls, write

_ROOT = Path(__file__).resolve().parents[3]


class DriverProcess:
    """`start` and `kill` as often as wanted."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.state = directory / "state"
        self.socket = directory / "csi.sock"
        self._options = options
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns when it answers."""
        self.state.mkdir(parents=True, exist_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.csi_driver",
            "--state", str(self.state), "--socket", str(self.socket), *self._options,
            stdout=asyncio.subprocess.PIPE, cwd=_ROOT, env={**os.environ, "PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"},
        )  # fmt: skip
        assert self._process.stdout is not None
        assert await self._process.stdout.readline() == b"ready\n"

    async def kill(self) -> None:
        """With -9; sockets and state stay. Harmless when it has ended."""
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()

    async def died(self) -> None:
        """Returns when it has ended by itself."""
        assert self._process is not None
        await self._process.wait()

    def misbehave(self, **how: str) -> None:
        """By method: "hang", "die", or a gRPC status."""
        write(self.state / "misbehave.json", how)

    def asked(self, *methods: str) -> list[str]:
        """The methods that were called, in order."""
        return [call["method"] for call in calls(self.state, *methods)]


@asynccontextmanager
async def running_driver(directory: Path, *options: str) -> AsyncIterator[DriverProcess]:
    """One that is started and, at the end, killed."""
    driver = DriverProcess(directory, *options)
    await driver.start()
    try:
        yield driver
    finally:
        await driver.kill()


@asynccontextmanager
async def client_of(driver: DriverProcess) -> AsyncIterator[CsiClient]:
    """A client of its socket, closed at the end."""
    client = CsiClient(driver.socket)
    try:
        yield client
    finally:
        await client.close()
