"""Directories for what programs are given for a while: tokens, keys, values. Only we may look into them.

They go when their work is done. Those of a process that was killed go when the next one starts (`sweep`): each is
locked by whoever made it, for as long as that lives, so that nobody has to guess by numbers of processes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from types import TracebackType
from typing import Self

_PREFIX = "skerry-private-"


class PrivateDirectory:
    """One; a context manager, or call `remove`."""

    def __init__(self, purpose: str) -> None:
        """`purpose`: a word of its name. Raises OSError."""
        self.path = Path(mkdtemp(prefix=f"{_PREFIX}{purpose}-"))
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def remove(self) -> None:
        """All of it. Once."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def sweep() -> None:
    """Remove what processes that are no more have left behind."""
    for left in Path(gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            _remove_if_left(left)


def _remove_if_left(path: Path) -> None:
    """Raises OSError: it is somebody's, or not ours."""
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(lock).st_uid == os.getuid():
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)
