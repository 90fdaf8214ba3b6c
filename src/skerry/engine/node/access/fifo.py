"""Named pipes between us and a container's shim, read and written without blocking the event loop.

Both ends of the standard input are held open here until it is closed, because a pipe without a reader cannot be opened
for writing. Works with asyncio's own loop and with uvloop. Source: fifo(7).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

_CHUNK = 64 << 10


class FifoReader:
    """The reading end. Reads give b"" when every writer has closed."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path, 0o600)
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._loop = asyncio.get_running_loop()

    async def read(self) -> bytes:
        """What is there, waiting for the first byte."""
        while self._descriptor >= 0:
            # an empty pipe that nobody has opened yet reads as ended: only a wake-up tells the two apart
            await self._readable()
            with contextlib.suppress(BlockingIOError):
                return os.read(self._descriptor, _CHUNK) if self._descriptor >= 0 else b""
        return b""

    def close(self) -> None:
        """Harmless twice."""
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    async def _readable(self) -> None:
        ready = asyncio.Event()
        self._loop.add_reader(self._descriptor, ready.set)
        try:
            await ready.wait()
        finally:
            if self._descriptor >= 0:
                self._loop.remove_reader(self._descriptor)


class FifoWriter:
    """The writing end. Waits while the pipe is full."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path, 0o600)
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._loop = asyncio.get_running_loop()

    async def write(self, data: bytes) -> None:
        """All of `data`; what comes after `close` is dropped. Cancel to give up."""
        view = memoryview(data)
        while view and self._descriptor >= 0:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:
                await self._writable()

    def close(self) -> None:
        """End of input once what was written has been read. Harmless twice."""
        if self._descriptor >= 0:
            self._loop.remove_writer(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    async def _writable(self) -> None:
        ready = asyncio.Event()
        self._loop.add_writer(self._descriptor, ready.set)
        try:
            await ready.wait()
        finally:
            if self._descriptor >= 0:
                self._loop.remove_writer(self._descriptor)
