"""What is in a mounted file system, in the contract's words. Source: statvfs(3)."""

from __future__ import annotations

import os
from pathlib import Path

from skerry.engine.storage.contract import StorageError, Usage
from skerry.engine.storage.drivers.publishing import is_mounted


def usage_of(handle: str, path: Path) -> Usage:
    """Of the volume that is mounted at `path`. Raises StorageError NOT_FOUND when none is, OSError."""
    if not is_mounted(path):
        raise StorageError("NOT_FOUND", f"volume {handle} is not mounted at {path}")
    found = os.statvfs(path)
    unit = found.f_frsize
    return Usage(
        capacity=(found.f_blocks - found.f_bfree + found.f_bavail) * unit,
        used=(found.f_blocks - found.f_bfree) * unit,
        available=found.f_bavail * unit,
        inodes=found.f_files,
        inodes_used=found.f_files - found.f_ffree,
        inodes_free=found.f_ffree,
    )
