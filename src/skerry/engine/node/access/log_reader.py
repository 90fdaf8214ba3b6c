"""A container's log file as a stream of text: tail, filters, and following it across rotation until the container ends.

Reading is in blocks, so a log of any size needs little memory. While following, one inotify watch on the directory and
the container's end are what wakes it. A line is given when it is whole in the file. Source: kubelet
`pkg/kubelet/kuberuntime/logs`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from skerry.engine.file_watch import DirectoryWatch
from skerry.engine.node.access.log_lines import Renderer, tail_offset
from skerry.kube.errors import InternalError
from skerry.kube.pod_streams import LogOptions

_BLOCK = 256 << 10

Ended = Callable[[], Awaitable[None]]
"""Returns when the container has ended and its log is complete."""


def renderer(options: LogOptions, now: datetime) -> Renderer:
    """The filters that `options` ask for."""
    since = options.since_time
    if options.since_seconds is not None:
        since = now - timedelta(seconds=options.since_seconds)
    return Renderer(options.timestamps, since, options.stream, options.limit_bytes)


async def read_log(path: Path, options: LogOptions, now: datetime, ended: Ended) -> AsyncIterator[bytes]:
    """Chunks of log text. Raises InternalError when the file cannot be read."""
    render = renderer(options, now)
    try:
        if not path.exists() and not options.follow:
            return
        file = await _appearing(path, ended)
    except OSError as error:
        raise InternalError(f"cannot read the container's log: {error.strerror}") from error
    log = _Log(path, file)
    try:
        if options.tail_lines is not None:
            file.seek(tail_offset(file, options.tail_lines) if options.tail_lines else file.seek(0, os.SEEK_END))
        chunks = _follow(path, log, render, ended) if options.follow else _read(log.files()[0], render, True)
        async for chunk in chunks:
            yield chunk
    finally:
        log.close()


class _File:
    """An open file of the log and the piece of a record that is not whole yet."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self._rest = b""

    def blocks(self) -> Iterator[list[bytes]]:
        """Whole records, as lists, until the present end of the file."""
        while data := self.file.read(_BLOCK):
            *lines, self._rest = (self._rest + data).split(b"\n")
            yield lines

    def rest(self) -> list[bytes]:
        """What is left when nobody writes any more."""
        rest, self._rest = self._rest, b""
        return [rest] if rest else []


class _Log:
    """The file at the path, and the one that was there before it: containerd makes the new file first and leaves the
    old one then, so that lines may still come there."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._now = _File(file)
        self._before: _File | None = None

    def files(self) -> list[_File]:
        """The older one first."""
        return [self._now] if self._before is None else [self._before, self._now]

    def close(self) -> None:
        for one in self.files():
            one.file.close()

    def rotated(self) -> bool:
        """Whether the path names another file now."""
        try:
            there, here = os.stat(self._path), os.fstat(self._now.file.fileno())
        except FileNotFoundError:
            return False
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)

    def move_on(self) -> None:
        """Open what the path names now, and let go of what was there two files ago."""
        if self._before is not None:
            self._before.file.close()
        self._before, self._now = self._now, _File(self._path.open("rb", buffering=0))

    def is_let_go(self, file: _File) -> bool:
        """Whether `move_on` would close it."""
        return file is self._before


async def _read(file: _File, render: Renderer, final: bool) -> AsyncIterator[bytes]:
    """What the file holds now; with `final` also a last record without its newline: nobody will finish it."""
    for lines in file.blocks():
        if text := render.render(lines):
            yield text
        if render.finished:
            return
        await asyncio.sleep(0)  # a long log must not keep the loop
    if final and (text := render.render(file.rest())):
        yield text


async def _follow(path: Path, log: _Log, render: Renderer, ended: Ended) -> AsyncIterator[bytes]:
    with DirectoryWatch(path.parent) as watch:
        end = asyncio.ensure_future(ended())
        end.add_done_callback(lambda _: watch.wake())
        try:
            while not render.finished:
                last_time = end.done()
                rotated = log.rotated()
                for file in log.files():
                    async for chunk in _read(file, render, last_time or (rotated and log.is_let_go(file))):
                        yield chunk
                if rotated:
                    log.move_on()
                elif last_time:
                    end.result()
                    return
                else:
                    await watch.changed()
        finally:
            end.cancel()
            await asyncio.gather(end, return_exceptions=True)


async def _appearing(path: Path, ended: Ended) -> BinaryIO:
    """The file as soon as it is there. Raises InternalError when the container ended without a log, OSError."""
    if path.exists():
        return path.open("rb", buffering=0)
    with DirectoryWatch(path.parent) as watch:
        end = asyncio.ensure_future(ended())
        end.add_done_callback(lambda _: watch.wake())
        try:
            while not path.exists():
                if end.done():
                    raise InternalError("the container's log is not there")
                await watch.changed()
        finally:
            end.cancel()
            await asyncio.gather(end, return_exceptions=True)
    return path.open("rb", buffering=0)
