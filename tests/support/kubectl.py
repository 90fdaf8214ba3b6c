"""The real kubectl against a server, as a coroutine: the server may run on the same event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.program import program_path
from tests.support.waiting import LIMIT

OVER_SPDY = {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false", "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false"}
"""The environment of a kubectl that streams as those before 1.31 do."""
over_each_transport = pytest.mark.parametrize("transport", [{}, OVER_SPDY], ids=["websocket", "spdy"])
"""For tests whose kubectl has its environment from a fixture `transport`."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A finished kubectl, with what it wrote byte for byte."""

    code: int
    out: bytes
    err: str


@dataclass(frozen=True, slots=True)
class Done:
    """A finished kubectl."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Kubectl:
    """`home`: where it may keep its caches. `environment`: what it is told beside ours."""

    kubeconfig: Path
    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    async def __call__(self, *words: str, stdin: str = "", env: Mapping[str, str] | None = None) -> Done:
        """Run it; raises AssertionError with what it said when it fails."""
        done = await self.attempt(*words, stdin=stdin, env=env)
        assert done.code == 0, f"kubectl {' '.join(words)}: {done.err}"
        return done

    async def attempt(self, *words: str, stdin: str = "", env: Mapping[str, str] | None = None) -> Done:
        """Run it, whatever it says."""
        done = await self.run(*words, stdin=stdin.encode(), env=env)
        return Done(done.code, done.out.decode(), done.err)

    async def run(self, *words: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Raw:
        """Run it, whatever it says, in bytes."""
        process = await self.start(*words, env=env)
        out, err = await asyncio.wait_for(process.communicate(stdin), 2 * LIMIT)
        return Raw(process.returncode or 0, out, err.decode())

    async def start(
        self, *words: str, env: Mapping[str, str] | None = None, terminal: int | None = None
    ) -> asyncio.subprocess.Process:
        """Start it, on pipes or on a terminal."""
        pipe = asyncio.subprocess.PIPE if terminal is None else terminal
        return await asyncio.create_subprocess_exec(
            program_path("kubectl"), "--kubeconfig", str(self.kubeconfig), "--cache-dir", str(self.home), *words,
            stdin=pipe, stdout=pipe, stderr=pipe, env={**os.environ, **self.environment, **(env or {})},
        )  # fmt: skip
