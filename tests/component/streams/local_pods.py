"""A `PodAccess` without containers: its processes are the machine's, its ports localhost's, the streams real."""

from __future__ import annotations

import asyncio
import fcntl
import os
import resource
import struct
import termios
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from skerry.engine.api.pod_access import STDERR, STDOUT, LogOptions, StreamOptions, StreamSession
from skerry.kube.errors import BadRequest, InternalError
from skerry.kube.objects import Obj

_CHUNK = 32 << 10
_PAUSE = 0.2  # seconds between two looks at what a process has written


class PipedSession:
    """A process on pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        queue: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue(4)
        pumps = [
            asyncio.create_task(_pump(stream, reader, queue))
            for stream, reader in ((STDOUT, self._process.stdout), (STDERR, self._process.stderr))
            if reader is not None
        ]
        open_streams = len(pumps)
        try:
            while open_streams:
                stream, data = await queue.get()
                if data:
                    yield stream, data
                else:
                    open_streams -= 1
        finally:
            for pump in pumps:
                pump.cancel()

    async def write_stdin(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        await self._process.stdin.drain()

    async def close_stdin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def resize(self, width: int, height: int) -> None:
        raise BadRequest("no terminal")

    async def wait(self) -> int:
        code = await self._process.wait()
        return code if code >= 0 else 128 - code

    async def close(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        self._process._transport.close()  # type: ignore[attr-defined]


class TerminalSession(PipedSession):
    """A process on a terminal of its own."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        super().__init__(process)
        self._master = master

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        loop = asyncio.get_running_loop()
        while True:
            readable = loop.create_future()
            loop.add_reader(self._master, lambda done=readable: done.done() or done.set_result(None))
            try:
                await readable
                data = os.read(self._master, _CHUNK)
            except OSError:  # EIO: the last process has let go of the terminal
                return
            finally:
                loop.remove_reader(self._master)
            if not data:
                return
            yield STDOUT, data

    async def write_stdin(self, data: bytes) -> None:
        os.write(self._master, data)

    async def close_stdin(self) -> None:
        os.write(self._master, b"\x04")

    async def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    async def close(self) -> None:
        await super().close()
        if self._master >= 0:
            os.close(self._master)
            self._master = -1


class LocalPods:
    """Commands run on this machine. `main`: the container's own process, for attach. `log`: its log file."""

    def __init__(self, log: Path, main: Sequence[str] = ("cat",)) -> None:
        self.log = log
        self.main = main
        self.sessions: list[StreamSession] = []

    async def exec(self, pod: Obj, container: str, command: Sequence[str], options: StreamOptions) -> StreamSession:
        try:
            session = await (_on_terminal(command) if options.tty else _on_pipes(command, options))
        except FileNotFoundError as error:
            raise InternalError(f"Internal error occurred: executable not found: {command[0]}") from error
        self.sessions.append(session)
        return session

    async def attach(self, pod: Obj, container: str, options: StreamOptions) -> StreamSession:
        return await self.exec(pod, container, self.main, options)

    async def port_forward(self, pod: Obj, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError as error:
            raise InternalError(f"dial tcp 127.0.0.1:{port}: connect: connection refused") from error

    async def logs(self, pod: Obj, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        if options.previous:
            raise BadRequest(f'previous terminated container "{container}" in pod "web" not found')
        command = ["tail", "-n", "+1" if options.tail_lines is None else str(options.tail_lines), str(self.log)]
        session = await _on_pipes([*command, "-f"] if options.follow else command, StreamOptions())
        self.sessions.append(session)
        try:
            async for _, data in session.output():
                yield data
        finally:
            await session.close()

    async def pod_metrics(self) -> Sequence[Obj]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        measured = {"cpu": f"{round(usage.ru_utime * 1000)}m", "memory": f"{usage.ru_maxrss}Ki"}
        metadata = {"name": "web", "namespace": "default", "labels": {"app": "web"}}
        return [_metrics("PodMetrics", metadata) | {"containers": [{"name": "main", "usage": measured}]}]

    async def node_metrics(self) -> Sequence[Obj]:
        return [_metrics("NodeMetrics", {"name": "here"}) | {"usage": {"cpu": "250m", "memory": "512Mi"}}]


def _metrics(kind: str, metadata: Obj) -> Obj:
    when = {"timestamp": "2026-01-01T00:00:00Z", "window": "15s"}
    return {"kind": kind, "apiVersion": "metrics.k8s.io/v1beta1", "metadata": metadata, **when}


async def _on_pipes(command: Sequence[str], options: StreamOptions) -> PipedSession:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE if options.stdin else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    return PipedSession(process)


async def _on_terminal(command: Sequence[str]) -> TerminalSession:
    master, slave = os.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            "setsid", "--ctty", "--wait", *command, stdin=slave, stdout=slave, stderr=slave
        )
    finally:
        os.close(slave)
    return TerminalSession(process, master)


async def _pump(stream: int, reader: asyncio.StreamReader, queue: asyncio.Queue[tuple[int, bytes]]) -> None:
    while data := await reader.read(_CHUNK):
        await queue.put((stream, data))
    await queue.put((stream, b""))


async def written_until_it_waits(process: asyncio.subprocess.Process) -> int:
    """Bytes that a process has written when it writes no more. Raises OSError when it has ended."""
    before = 0
    while not (now := _written(process.pid)) or now != before:
        before = now
        await asyncio.sleep(_PAUSE)
    return now


def _written(pid: int) -> int:
    fields = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(fields["wchar"])
