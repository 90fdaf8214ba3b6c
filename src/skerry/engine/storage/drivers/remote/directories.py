"""Directories of claims, made and deleted through a mounted file system, as csi-driver-nfs does.

A server's symbolic links would be followed by this machine's kernel into this machine's own files: none is, ever.
Everything here blocks: call it from a thread of its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def make(root: Path, directory: str, mode: int = 0o777) -> None:
    """Make a relative directory with all that are above it; harmless when it is there. Raises OSError."""
    with contextlib.ExitStack() as stack:
        at = _opened(stack, os.open(root, _FLAGS))
        for part in directory.split("/"):
            made = False
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, dir_fd=at)
                made = True
            at = _opened(stack, os.open(part, _FLAGS, dir_fd=at))
        if made:
            with contextlib.suppress(OSError):  # not all protocols have modes
                os.fchmod(at, mode)


def remove(root: Path, directory: str) -> None:
    """Delete a relative directory and all that is in it; harmless when it is gone. Raises OSError."""
    *above, name = directory.split("/")
    with contextlib.ExitStack() as stack:
        at = _opened(stack, os.open(root, _FLAGS))
        for part in above:
            try:
                at = _opened(stack, os.open(part, _FLAGS, dir_fd=at))
            except FileNotFoundError:
                return
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(name, dir_fd=at)


def _opened(stack: contextlib.ExitStack, descriptor: int) -> int:
    stack.callback(os.close, descriptor)
    return descriptor
