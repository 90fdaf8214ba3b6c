"""A directory of notes that instances on one machine share, such as `/run/skerry/instances`: one of them at a time
looks into it and changes it, and who leaves it empty removes it.

The lock is on the directory itself, so that no file for it stays behind; the kernel gives it back however a process
ends. Source: flock(2).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Made (0700) where there is none. Waits for whoever has it, and blocks meanwhile. Raises OSError."""
    descriptor = _hold(directory)
    try:
        yield
        with contextlib.suppress(OSError):  # notes are in it
            directory.rmdir()
    finally:
        os.close(descriptor)


def _hold(directory: Path) -> int:
    """An open descriptor that has the lock of the directory that is there now."""
    while True:
        with contextlib.suppress(FileExistsError):  # `exist_ok` would look whether it is still there
            directory.mkdir(mode=0o700, parents=True)
        try:
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:  # who had it before has just removed it
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _is_at(descriptor, directory):
            return descriptor
        os.close(descriptor)


def _is_at(descriptor: int, directory: Path) -> bool:
    """Whether it was not removed while its lock was waited for."""
    try:
        return os.path.samestat(os.fstat(descriptor), directory.stat())
    except FileNotFoundError:
        return False
