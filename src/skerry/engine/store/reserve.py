"""Room on the disk that is held back, so that a store whose disk is full can still say so, and get out of it.

A file of that size lies beside the database. When a commit fails it is removed, and what it held is for writes that
tell of the trouble or end it. All others are refused until there is room for the file again and as much beside it: with
less, what was just given up would be taken back, the next write would fail, and nobody would come to tell of it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from skerry.engine.store.contract import Key

WriteType = Literal["ADDED", "MODIFIED", "DELETED"]
_OF_THE_NODE = frozenset({"nodes", "leases.coordination.k8s.io"})


def may_use_reserve(kind: WriteType, key: Key) -> bool:
    """What the reserve is for: how the node is, the end of pods (they may be what fills the disk), and whatever is
    deleted."""
    return kind == "DELETED" or key.resource in _OF_THE_NODE or (kind == "MODIFIED" and key.resource == "pods")


class Reserve:
    """The file. Used by one thread at a time."""

    def __init__(self, path: Path, size: int) -> None:
        """`size`: bytes; 0 for no reserve."""
        self._path = path
        self._size = size

    @property
    def held(self) -> bool:
        """Whether the room is held back now."""
        try:
            return self._path.stat().st_size == self._size
        except OSError:
            return self._size == 0

    def take(self) -> bool:
        """Hold the room back; whether there is that much."""
        if self.held:
            return True
        partial = self._path.with_name(f"{self._path.name}.new")
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size)
            finally:
                os.close(descriptor)
            partial.replace(self._path)
        except OSError:
            partial.unlink(missing_ok=True)
            return False
        return True

    def retake(self) -> bool:
        """Hold the room back again; whether there is that much and as much to go on with. Takes nothing to find out."""
        try:
            found = os.statvfs(self._path.parent)
        except OSError:
            return False
        blocks = found.f_bavail if os.geteuid() else found.f_bfree
        return blocks * found.f_frsize >= 2 * self._size and self.take()

    def give_up(self) -> None:
        """Let go of it."""
        self._path.unlink(missing_ok=True)
