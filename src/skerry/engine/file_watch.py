"""Waking up when something changes in a directory: inotify on the event loop, without polling. Source: inotify(7)."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
from pathlib import Path
from typing import Self

_MODIFY, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE, _DELETE_SELF = 0x2, 0x40, 0x80, 0x100, 0x200, 0x400
_libc = ctypes.CDLL(None, use_errno=True)


class DirectoryWatch:
    """Tells when a file in the directory was written, made, renamed or removed. Use it as a context manager."""

    def __init__(self, directory: Path) -> None:
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._descriptor = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify is not available (fs.inotify.max_user_instances?)")
        mask = _MODIFY | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF
        if _libc.inotify_add_watch(self._descriptor, os.fsencode(directory), mask) < 0:
            number = ctypes.get_errno()
            os.close(self._descriptor)
            raise OSError(number, os.strerror(number), str(directory))

    def __enter__(self) -> Self:
        self._loop.add_reader(self._descriptor, self._drain)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)

    def wake(self) -> None:
        """Let `changed` return although nothing changed."""
        self._changed.set()

    async def changed(self) -> None:
        """Return at the first change since the last return."""
        await self._changed.wait()
        self._changed.clear()

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._descriptor, 1 << 16)  # the loop calls again when there is more
        self._changed.set()
