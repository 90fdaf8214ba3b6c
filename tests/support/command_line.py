"""`skerry` as somebody runs it: with a home of its own, as a coroutine, as the platform may run on the same loop."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.kubectl import Done
from tests.support.waiting import LIMIT


@dataclass(frozen=True)
class CommandLine:
    """`home`: where it keeps what it keeps."""

    home: Path

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"

    @property
    def environment(self) -> dict[str, str]:
        own = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"), "KUBECONFIG": str(self.kubeconfig)}
        return {name: value for name, value in os.environ.items() if name != "SKERRY_DATA_DIR"} | own

    async def __call__(self, *words: str) -> Done:
        """Raises AssertionError with what it said when it fails."""
        done = await self.attempt(*words)
        assert done.code == 0, f"skerry {' '.join(words)}: {done.err}"
        return done

    async def attempt(self, *words: str) -> Done:
        """Whatever it says."""
        process = await self.start(*words)
        out, err = await asyncio.wait_for(process.communicate(), LIMIT)
        return Done(process.returncode or 0, out.decode(), err.decode())

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        """Without waiting for it."""
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "skerry.cli.main", *words,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=self.environment,
        )  # fmt: skip
