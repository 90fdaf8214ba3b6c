"""FUSE connections: made and mounted by the engine, handed to a program without rights; aborted when nobody answers.

Source: the kernel's Documentation/filesystems/fuse.rst (mount options, `abort`).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from skerry.engine import mounts
from skerry.engine.storage.contract import StorageError

_CONNECTIONS = Path("/sys/fs/fuse/connections")


def open_and_mount(point: Path, kind: str, user: int, *, read_only: bool, check_modes: bool) -> int:
    """Mount a new connection at `point`, as file system type fuse.`kind`; its descriptor. Whoever serves it runs as
    `user`. `check_modes`: the kernel compares owners and modes, else the server alone decides. Raises OSError."""
    try:
        descriptor = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise StorageError("FAILED_PRECONDITION", f"this machine's kernel lacks FUSE: {error.strerror}") from error
    options = f"fd={descriptor},rootmode=40000,user_id={user},group_id={user},allow_other"
    flags = mounts.MS_NOSUID | mounts.MS_NODEV | (mounts.MS_RDONLY if read_only else 0)
    try:
        mounts.mount(kind, point, f"fuse.{kind}", flags, options + (",default_permissions" if check_modes else ""))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def is_mounted(point: Path) -> bool:
    """Whether a FUSE file system is at `point`, dead or alive; it is not asked."""
    return _mount_at(point) is not None


def connection(point: Path) -> str:
    """The number of the connection that is mounted at `point`, "" when there is none; it is not asked."""
    found = _mount_at(point)
    return found.device.partition(":")[2] if found else ""


def _mount_at(point: Path) -> mounts.Mount | None:
    where = point.parent.resolve() / point.name
    found = (one for one in mounts.current_mounts() if one.point == where and one.fstype.startswith("fuse"))
    return next(found, None)


def abort(number: str) -> None:
    """Let everybody who waits for the connection go, with an error. Where the kernel does not offer it, ending the
    program does the same."""
    if number:
        with contextlib.suppress(OSError):
            (_CONNECTIONS / number / "abort").write_text("1")
