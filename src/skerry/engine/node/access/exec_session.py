"""A command running in a container, through containerd's Tasks service and named pipes.

The exit is waited for before the process is started, so none is missed. Output ends when the pipes end; a background
process that keeps them open holds them no longer than `_LINGER` after the command's own end. Source: containerd
`api/services/tasks/v1`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import shutil
import signal
from collections.abc import AsyncIterator, Coroutine, Sequence
from pathlib import Path
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage

from skerry.engine.node.access.fifo import FifoReader, FifoWriter
from skerry.engine.node.access.process_spec import exec_process
from skerry.engine.node.containerd import api_pb2 as pb
from skerry.engine.node.containerd.client import ContainerdCallError, ContainerdClient
from skerry.kube.errors import InternalError
from skerry.kube.pod_streams import STDERR, STDOUT, StreamOptions

_PROCESS_TYPE = "types.containerd.io/opencontainers/runtime-spec/1/Process"
_LINGER = 2.0  # seconds
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # as shells tell them
_MISSING = re.compile(r"not found|no such file or directory", re.IGNORECASE)
_FORBIDDEN = re.compile(r"permission denied|exec format error|is a directory", re.IGNORECASE)


class ExecSession:
    """Implements `StreamSession`. Made by `open_exec`."""

    def __init__(self, client: ContainerdClient, container_id: str, directory: Path, options: StreamOptions) -> None:
        self._client = client
        self._container = container_id
        self._id = secrets.token_hex(16)
        self._directory = directory / self._id
        self._directory.mkdir(mode=0o700, parents=True)
        self._stdin = FifoWriter(self._directory / "stdin") if options.stdin else None
        self._readers = {STDOUT: FifoReader(self._directory / "stdout")}
        if not options.tty:
            self._readers[STDERR] = FifoReader(self._directory / "stderr")
        self._wanted = {STDOUT: options.stdout, STDERR: options.stderr}
        self._tty = options.tty
        self._exit: asyncio.Task[int] | None = None
        self._closed = False

    async def start(self, spec: bytes) -> None:
        """Run the process. Raises ContainerdCallError."""
        request = pb.ExecProcessRequest(
            container_id=self._container,
            exec_id=self._id,
            stdin=self._path("stdin") if self._stdin else "",
            stdout=self._path("stdout"),
            stderr="" if self._tty else self._path("stderr"),
            terminal=self._tty,
            spec=AnyMessage(type_url=_PROCESS_TYPE, value=spec),
        )
        await self._client.exec(request)
        self._exit = asyncio.create_task(self._client.wait(self._container, self._id))
        await self._client.start(self._container, self._id)

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """(STDOUT or STDERR, data) until both are closed."""
        queue: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue(maxsize=8)
        tasks = [asyncio.create_task(_pump(reader, stream, queue)) for stream, reader in self._readers.items()]
        open_streams = len(tasks)
        try:
            while open_streams:
                stream, data = await self._next(queue)
                if stream == 0:
                    return
                if not data:
                    open_streams -= 1
                elif self._wanted[stream]:
                    yield stream, data
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _next(self, queue: asyncio.Queue[tuple[int, bytes]]) -> tuple[int, bytes]:
        """The next item; (0, b"") when the process has ended and nothing came for a while."""
        item = asyncio.ensure_future(queue.get())
        try:
            if self._exit is not None and not self._exit.done():
                await asyncio.wait({item, self._exit}, return_when=asyncio.FIRST_COMPLETED)
            if not item.done():
                await asyncio.wait({item}, timeout=_LINGER if self._exit is None or self._exit.done() else None)
            return item.result() if item.done() else (0, b"")
        finally:
            item.cancel()

    async def write_stdin(self, data: bytes) -> None:
        """Feed standard input; waits while the process does not read; returns at once when it has ended."""
        if self._stdin is not None:
            await self._unless_ended(self._stdin.write(data))

    async def close_stdin(self) -> None:
        """End of standard input, after what was written."""
        if self._stdin is None:
            return
        self._stdin.close()
        with contextlib.suppress(ContainerdCallError):
            await self._client.close_stdin(self._container, self._id)

    async def resize(self, width: int, height: int) -> None:
        """The terminal's size in characters; too late is harmless."""
        if self._tty:
            with contextlib.suppress(ContainerdCallError):
                await self._client.resize(self._container, self._id, width, height)

    async def wait(self) -> int:
        """The exit code. Raises InternalError when containerd went away meanwhile."""
        if self._exit is None:
            raise InternalError("the command was not started")
        try:
            return await asyncio.shield(self._exit)
        except ContainerdCallError as error:
            raise InternalError(f"lost sight of the command: {error}") from error

    async def close(self) -> None:
        """Kill what still runs and remove the pipes. Harmless twice."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._end_process()
        finally:
            for reader in self._readers.values():
                reader.close()
            if self._stdin is not None:
                self._stdin.close()
            shutil.rmtree(self._directory, ignore_errors=True)

    async def _end_process(self) -> None:
        with contextlib.suppress(ContainerdCallError):
            if self._exit is not None and not self._exit.done():
                await self._client.kill(self._container, self._id, signal.SIGKILL)
                await asyncio.wait({self._exit}, timeout=_LINGER)
        if self._exit is not None:
            self._exit.cancel()
            with contextlib.suppress(ContainerdCallError, asyncio.CancelledError):
                await self._exit
        with contextlib.suppress(ContainerdCallError):
            await self._client.delete_process(self._container, self._id)

    async def _unless_ended(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task, *([self._exit] if self._exit else [])}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            task.cancel()

    def _path(self, name: str) -> str:
        return str(self._directory / name)


class RefusedCommand:
    """Implements `StreamSession` for a command the runtime could not start: its words on stderr and an exit code."""

    def __init__(self, message: str, exit_code: int, stream: int) -> None:
        self._message = message
        self._exit_code = exit_code
        self._stream = stream

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """The runtime's words."""
        yield self._stream, self._message.encode() + b"\n"

    async def write_stdin(self, data: bytes) -> None:
        """Nobody reads it."""

    async def close_stdin(self) -> None:
        """Nothing to close."""

    async def resize(self, width: int, height: int) -> None:
        """There is no terminal."""

    async def wait(self) -> int:
        """126 or 127, as a shell's."""
        return self._exit_code

    async def close(self) -> None:
        """Nothing to end."""


async def open_exec(
    client: ContainerdClient, container_id: str, command: Sequence[str], options: StreamOptions, directory: Path
) -> ExecSession | RefusedCommand:
    """Start a command. A command that is not there or not executable gives a session that says so.

    `directory` holds the pipes while it runs. Raises InternalError for every other failure, with the runtime's words.
    """
    session: ExecSession | None = None
    try:
        record = await client.container(container_id)
        spec = exec_process(record.spec.value, command, options.tty)
        session = ExecSession(client, container_id, directory, options)
        await session.start(spec)
    except (ContainerdCallError, ValueError, OSError, asyncio.CancelledError) as error:
        if session is not None:
            await session.close()
        if isinstance(error, asyncio.CancelledError):
            raise
        return refusal(str(error), options)
    return session


def refusal(message: str, options: StreamOptions) -> RefusedCommand:
    """A session for a command that is missing or not executable. Raises InternalError for anything else."""
    for pattern, code in ((_FORBIDDEN, _NOT_EXECUTABLE), (_MISSING, _NOT_FOUND)):
        if "exec" in message and pattern.search(message):
            return RefusedCommand(message, code, STDOUT if options.tty else STDERR)
    raise InternalError(f"error executing command in container: {message}")


async def _pump(reader: FifoReader, stream: int, queue: asyncio.Queue[tuple[int, bytes]]) -> None:
    while data := await reader.read():
        await queue.put((stream, data))
    await queue.put((stream, b""))
