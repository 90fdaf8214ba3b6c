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
        self.path, self._lock = _made(purpose)

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


def _made(purpose: str) -> tuple[Path, int]:
    """A directory and the lock on it. Until it is locked, somebody who starts at the same moment may take it for left
    behind: then there is another. Raises OSError."""
    while True:
        path = Path(mkdtemp(prefix=f"{_PREFIX}{purpose}-"))
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(lock, fcntl.LOCK_EX)  # whoever has it is removing it
            if path.exists():
                return path, lock
            os.close(lock)


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
