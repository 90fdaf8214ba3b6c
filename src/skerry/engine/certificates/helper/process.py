"""The engine's side of the helper: starts it at the first call, passes calls on, lets it go when it is idle.

One JSON document a line in either direction; calls may overtake each other. Invariant: `close` leaves no process, and
neither does the engine's death: the helper ends with its standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import sys
from datetime import timedelta
from typing import Any

import orjson

from skerry.engine.certificates.helper.errors import HelperError, Refused

_IDLE = timedelta(seconds=30)
_LONGEST_ANSWER = 4 * 1024 * 1024  # bytes
_MODULE = "skerry.engine.certificates.helper"


class Helper:
    """At most one process that takes calls. `idle`: how long it lives without one."""

    def __init__(self, idle: timedelta = _IDLE) -> None:
        self._idle = idle.total_seconds()
        self._running: _Running | None = None
        self._ending: set[_Running] = set()
        self._starting = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """The result of a function of `calls`. Raises Refused, HelperError."""
        self._stop_timer()
        async with self._starting:
            if self._running is None or self._running.ended:
                self._running = await _start()
        running = self._running
        try:
            return await running.ask(name, arguments)
        finally:
            if not running.waiting:
                self._stop_timer()
                self._timer = asyncio.get_running_loop().call_later(self._idle, self._let_go)

    async def close(self) -> None:
        """End the process, and wait for it."""
        self._stop_timer()
        running, self._running = self._running, None
        for one in (*self._ending, *([running] if running else ())):
            await one.kill()

    def _let_go(self) -> None:
        """A call that comes now starts another one."""
        running, self._running = self._running, None
        if running is not None:
            running.end_input()
            self._ending.add(running)
            running.reader.add_done_callback(lambda _: self._ending.discard(running))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Running:
    """One process and the calls that wait for it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.waiting: dict[int, asyncio.Future[Any]] = {}
        self.ended = False
        self._numbers = itertools.count()
        self._process = process
        self.reader = asyncio.create_task(self._read(), name="certificate helper")

    async def ask(self, name: str, arguments: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        number = next(self._numbers)
        answer = self.waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._process.stdin.write(orjson.dumps([number, name, arguments]) + b"\n")
            return await answer
        finally:
            del self.waiting[number]

    def end_input(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def kill(self) -> None:
        self._kill()
        await self.reader

    def _kill(self) -> None:
        """Not by the process's own method, which takes its end away from who waits for it."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while line := await self._process.stdout.readline():
                number, outcome, value = orjson.loads(line)
                answer = self.waiting.get(number)
                if answer is not None and not answer.done():
                    _settle(answer, outcome, value)
        except ValueError:  # a line over the limit: nothing after it can be told apart
            self._kill()
        self.ended = True
        await self._process.wait()
        for answer in self.waiting.values():
            if not answer.done():
                answer.set_exception(HelperError("the certificate helper ended before it answered"))


async def _start() -> _Running:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", _MODULE, stdin=pipe, stdout=pipe,
        limit=_LONGEST_ANSWER, start_new_session=True,  # a terminal's Ctrl-C is for the engine
    )  # fmt: skip
    return _Running(process)


def _settle(answer: asyncio.Future[Any], outcome: str, value: Any) -> None:
    if outcome == "result":
        answer.set_result(value)
    elif outcome == "refused":
        answer.set_exception(Refused(**value))
    else:
        answer.set_exception(HelperError(value))
