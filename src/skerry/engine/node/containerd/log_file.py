"""The file containerd writes its log to, kept below a size (`engine.log_files`)."""

from __future__ import annotations

import os
from pathlib import Path

from skerry.engine.config import Paths
from skerry.engine.log_files import LIMIT_BYTES, cut_back


def log_path(paths: Paths) -> Path:
    """containerd's log; the generation before it ends in `.1`."""
    return paths.logs / "containerd.log"


def open_for_append(paths: Paths) -> int:
    """A file descriptor to hand to containerd as its output."""
    paths.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(log_path(paths), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def bound(paths: Paths, limit: int = LIMIT_BYTES) -> bool:
    """Start over when the file has grown beyond `limit` bytes, keeping one generation. Whether that was needed."""
    return cut_back(log_path(paths), limit)


def last_words(paths: Paths, since: int = 0) -> str:
    """The last line written after offset `since` (bytes), for an error message; "" when there is none."""
    try:
        with log_path(paths).open("rb") as file:
            file.seek(since)
            lines = file.read()[-4096:].decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


def size(paths: Paths) -> int:
    """Bytes in the log now."""
    file = log_path(paths)
    return file.stat().st_size if file.exists() else 0
