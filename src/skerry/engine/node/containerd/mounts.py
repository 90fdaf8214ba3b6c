"""The mount table of this process, and taking mounts down. Source of the format: proc_pid_mountinfo(5)."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

from skerry.kube.records import record

MNT_DETACH = 2
_libc = ctypes.CDLL(None, use_errno=True)


@record
class Mount:
    """One line of mountinfo: where, of which file system type, in the order of mounting."""

    point: Path
    fstype: str


def parse_mountinfo(text: str) -> list[Mount]:
    """All mounts, oldest first."""
    mounts = []
    for line in text.splitlines():
        fields, _, tail = line.partition(" - ")
        mounts.append(Mount(Path(_unescape(fields.split(" ")[4])), tail.split(" ")[0]))
    return mounts


def current_mounts() -> list[Mount]:
    """The mounts this process sees."""
    return parse_mountinfo(Path("/proc/self/mountinfo").read_text())


def below(mounts: Sequence[Mount], *roots: Path) -> list[Path]:
    """Mount points strictly below any of `roots`, in the order in which they can be taken down.

    A root itself is never named: an operator may have put a disk there.
    """
    found = [mount.point for mount in mounts if any(root in mount.point.parents for root in roots)]
    return found[::-1]


def unmount(point: Path) -> bool:
    """Take a mount out of the tree at once, also when it is in use. False when there is no mount (any more)."""
    return int(_libc.umount2(os.fsencode(point), MNT_DETACH)) == 0


def unmount_below(*roots: Path) -> list[Path]:
    """Take down every mount strictly below `roots`; returns those that were there."""
    points = below(current_mounts(), *roots)
    return [point for point in points if unmount(point)]


def _unescape(text: str) -> str:
    """mountinfo writes space, tab, newline and backslash as \\ooo."""
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape") if "\\" in text else text
