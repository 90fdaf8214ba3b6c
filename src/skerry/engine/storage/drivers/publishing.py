"""A staged volume shown to a pod: a bind mount at a place of the pod's own. Shared by drivers whose volumes are mounted
once for the machine. Every step may find its work done, also a half of it.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from skerry.engine import mounts


def show(staged: Path, target: Path, *, read_only: bool) -> None:
    """Bind a staged directory, or a block device, to `target`, which is made. Raises OSError."""
    if not is_mounted(target):
        if staged.is_dir():
            target.mkdir(mode=0o750, exist_ok=True)
        else:
            target.touch(mode=0o600)
        mounts.bind(str(staged), target)
    if read_only and not os.statvfs(target).f_flag & os.ST_RDONLY:
        mounts.remount_read_only(target)


def take_back(target: Path) -> None:
    """Undo `show`, `target` included. Raises OSError when something else is in it."""
    mounts.unmount_all(target)
    with contextlib.suppress(FileNotFoundError):
        if target.is_dir():
            target.rmdir()
        else:
            target.unlink()


def is_mounted(point: Path) -> bool:
    """Whether something is mounted at a place, on a directory or on a file."""
    where = point.parent.resolve() / point.name
    return any(one.point == where for one in mounts.current_mounts())
