"""Runs Helm: a process with a directory of its own, that knows nothing but a short-lived token of its project.

Whatever it needs is in files that only we may read; nothing secret is in arguments. It dies with the platform, gets
little processor time and memory, and cannot reach the platform's own environment. How many work at once is bounded
(`slots`); those that only wait do not count. Neighbours: `rendering`, `home`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from skerry.kube.objects import Obj
from skerry.kube.programs import find_program
from skerry.kube.records import record
from skerry.platform.base.chart_schemas import WITHOUT, reach_out
from skerry.platform.base.leashing import bound, leash
from skerry.platform.releases.helm.home import Home
from skerry.platform.releases.helm.rendering import Render, rendering
from skerry.platform.releases.helm.slots import Slots

_SECONDS_OF_CPU = 120
_LONGEST_WORDS = 64 * 1024
_SECONDS_TO_END = 10.0
"""What Helm is given to note that it was interrupted."""


class NoHelm(Exception):
    """It is not installed."""


@record
class Job:
    """What Helm is to do, and with what."""

    words: Sequence[str]
    kubeconfig: Obj
    chart: Path | None = None
    """Where its archive is: put after `words`."""
    values: Sequence[str] = ()
    """YAML, or JSON; later ones win."""
    render: Render | None = None
    waits: bool = False
    """It will wait for the cluster most of the time, once it has rendered."""


@record
class Outcome:
    """How it went."""

    code: int
    said: str = ""
    complained: str = ""


class Helm:
    """Runs jobs; `Running.interrupt` ends one early."""

    def __init__(self) -> None:
        self._home = Home()
        self._slots = Slots()

    @property
    def charts(self) -> Path:
        """Where archives may be kept."""
        return self._home.charts

    async def run(self, job: Job, running: Running) -> Outcome:
        """Do it. Raises NoHelm, OSError, and what rendering raises."""
        program = helm_program()
        with TemporaryDirectory(dir=self._home.jobs) as directory:
            place = Path(directory)
            job = _with_own_chart(job, place)
            async with self._slots.work() as slot:
                more = await _about_schemas(job.chart)
                command = [*leash(), program, *_words(job, place), *more]
                environment = self._home.environment(place)
                if job.render is None:
                    return await running.run(command, environment)
                render = _leaving(job.render, slot.leave) if job.waits else job.render
                async with rendering(place / "rendering", render) as given:
                    outcome = await running.run(command, environment)
                if given.failure is not None:
                    raise given.failure
                return Outcome(outcome.code, outcome.said, given.refusal) if given.refusal else outcome

    def turn(self) -> AbstractAsyncContextManager[object]:
        """Among those at work, for what is done before Helm is."""
        return self._slots.work()

    def close(self) -> None:
        """Remove what it left."""
        self._home.remove()


class Running:
    """One job's process, if any."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self.interrupted = False

    def interrupt(self) -> None:
        """What it does is not wanted any more: it notes so and ends."""
        self.interrupted = True
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()

    async def run(self, command: Sequence[str], environment: dict[str, str], most: int = _LONGEST_WORDS) -> Outcome:
        """Run a command to its end; the last `most` bytes of what it says are kept. Raises OSError."""
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *command, stdin=null, stdout=pipe, stderr=pipe, env=environment, cwd="/", start_new_session=True
        )
        self._process = process
        if self.interrupted:
            process.terminate()
        bound(process.pid, _SECONDS_OF_CPU)
        try:
            said, complained = await asyncio.gather(
                _end_of(process.stdout, most), _end_of(process.stderr, _LONGEST_WORDS)
            )
            await process.wait()
        finally:
            await _end(process)
            self._process = None
        return Outcome(process.returncode or 0, said, complained)


@cache
def helm_program() -> str:
    """Where it is. Raises NoHelm."""
    found = find_program("helm")
    if found is None:
        raise NoHelm("helm is not installed on the machine of the platform: an operator runs `make setup`")
    return found


def _with_own_chart(job: Job, place: Path) -> Job:
    """It stays while the job waits, also when others take its place among those that are kept. Raises OSError."""
    if job.chart is None:
        return job
    own = place / "chart.tgz"
    own.hardlink_to(job.chart)
    return replace(job, chart=own)


def _words(job: Job, place: Path) -> list[str]:
    kubeconfig = _private(place / "kubeconfig", orjson.dumps(job.kubeconfig))
    words = [*job.words, *([str(job.chart)] if job.chart else ()), "--kubeconfig", kubeconfig]
    for number, text in enumerate(job.values):
        words += ["--values", _private(place / f"values-{number}.yaml", text.encode())]
    return [*words, *(("--post-renderer", "skerry") if job.render else ())]


async def _about_schemas(chart: Path | None) -> Sequence[str]:
    if chart is None:
        return ()
    archive = await asyncio.to_thread(chart.read_bytes)
    return (WITHOUT,) if await asyncio.to_thread(reach_out, archive) else ()


def _private(path: Path, content: bytes) -> str:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    return str(path)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Nothing is left running, also when we are cancelled."""
    if process.returncode is not None:
        return
    process.terminate()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS_TO_END):  # wait_for of Python 3.11 may lose a cancellation
            await process.wait()
        return
    process.kill()
    await process.wait()


def _leaving(render: Render, leave: Callable[[], None]) -> Render:
    async def rendered(manifests: str) -> str:
        answer = await render(manifests)
        leave()
        return answer

    return rendered


async def _end_of(stream: asyncio.StreamReader | None, most: int) -> str:
    """The last `most` bytes; what is before them is never held."""
    assert stream is not None
    said = bytearray()
    while piece := await stream.read(65536):
        said += piece
        del said[:-most]
    return said.decode(errors="replace")
