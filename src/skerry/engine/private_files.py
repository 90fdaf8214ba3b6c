"""Files that only their owner may read, replaced at once: whenever the engine or the machine dies, there is the old
content or the new one, and never a part. Used for what an instance is, its keys, and what is known about volumes.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)


def write_private(path: Path, content: bytes) -> None:
    """Replace a file, or make it, with the mode 0600. That its name survives a power cut takes `to_disk` of its
    directory. Raises OSError."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def to_disk(path: Path) -> None:
    """Return when a file's content, or the names in a directory, are on disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_system_to_disk(path: Path) -> None:
    """Return when everything in the file system of a path is on disk: what others wrote there and did not sync, as
    containerd does with the files of images. May take seconds. Source: syncfs(2). Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(descriptor)
