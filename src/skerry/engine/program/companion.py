"""A program beside the engine, for as long as the engine runs: the platform, which must not be part of it.

The engine knows its module and its arguments, nothing more. It has root's files but none of root's powers, is started
again when it ends (sooner at first, then later and later), and the kernel ends it when the engine is killed. What it
says goes into a log of its own. Source: setpriv(1), PR_SET_PDEATHSIG in prctl(2).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shlex
import sys
from pathlib import Path

from skerry.engine.log_files import cut_back
from skerry.kube.tasks import end

log = logging.getLogger(__name__)

_FIRST, _LONGEST = 1.0, 60.0  # seconds until it is started again
_WELL = 60.0  # seconds after which a start counts as one that went well
_PATIENCE = 15.0  # seconds it may take to end
_LOG_CHECK = 300.0  # seconds between looks at the size of its log
_WITHOUT_POWERS = (
    "setpriv", "--pdeathsig=TERM", "--no-new-privs",
    "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--",
)  # fmt: skip


class Companion:
    """One program: a module for our own Python and its arguments, written as for a shell."""

    def __init__(self, command: str, log_file: Path) -> None:
        self._words = shlex.split(command)
        self._log_file = log_file
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start it, and go on doing so."""
        self._task = asyncio.create_task(self._keep_running(), name=self._words[0])

    async def close(self) -> None:
        """End it; what does not end in time is killed."""
        await end(self._task)

    async def _keep_running(self) -> None:
        wait, loop = _FIRST, asyncio.get_running_loop()
        while True:
            begun = loop.time()
            code = await self._run()
            if loop.time() - begun > _WELL:
                wait = _FIRST
            log.error("%s ended with code %s; again in %.0f s; why says %s", self._words[0], code, wait, self._log_file)
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST)

    async def _run(self) -> int:
        process = await self._spawn()
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOG_CHECK):
                        return await process.wait()
                await asyncio.to_thread(cut_back, self._log_file)
        finally:
            await _end(process)

    async def _spawn(self) -> asyncio.subprocess.Process:
        self._log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        cut_back(self._log_file)
        descriptor = os.open(self._log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        command = [*_WITHOUT_POWERS, sys.executable, "-m", *self._words]
        try:
            return await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=descriptor, stderr=descriptor, start_new_session=True
            )
        finally:
            os.close(descriptor)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_PATIENCE):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
