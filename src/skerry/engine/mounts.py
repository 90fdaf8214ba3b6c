"""Mounts as this process sees them: the table, making some and taking them down, without starting a program.

What the engine mounts is in the instance's own mount namespace, which containerd shares, so it vanishes with the
instance. Source: mount(2), umount2(2), proc_pid_mountinfo(5).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

from skerry.kube.records import record

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
MS_SYNCHRONOUS, MS_DIRSYNC, MS_NOATIME, MS_NODIRATIME, MS_RELATIME, MS_STRICTATIME = (
    16,
    128,
    1024,
    2048,
    1 << 21,
    1 << 24,
)
MS_LAZYTIME = 1 << 25
MNT_DETACH = 2
MS_REC, MS_SHARED = 1 << 14, 1 << 20

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)


@record
class Mount:
    """One line of mountinfo: where, of which file system type, from what, in the order of mounting."""

    point: Path
    fstype: str
    source: str = ""
    device: str = ""
    """Number of the file system: "major:minor"."""


def parse_mountinfo(text: str) -> list[Mount]:
    """All mounts, oldest first. Lines end with a newline only: names may hold whatever else ends a line, for who
    fills a volume names its directories, and a subPath shows them here."""
    mounts = []
    for line in text.removesuffix("\n").split("\n"):
        fields, _, tail = line.partition(" - ")
        _, _, device, _, point = fields.split(" ")[:5]
        fstype, source = tail.split(" ")[:2]
        mounts.append(Mount(Path(_unescape(point)), fstype, _unescape(source), device))
    return mounts


def current_mounts() -> list[Mount]:
    """The mounts this process sees."""
    return parse_mountinfo(os.fsdecode(Path("/proc/self/mountinfo").read_bytes()))


def mounted_from(source: str) -> Path | None:
    """Where a device is mounted first, None when it is not."""
    return next((one.point for one in current_mounts() if one.source == source), None)


def below(mounts: Sequence[Mount], *roots: Path) -> list[Path]:
    """Mount points strictly below any of `roots`, in the order in which they can be taken down.

    A root itself is never named: an operator may have put a disk there.
    """
    found = [mount.point for mount in mounts if any(root in mount.point.parents for root in roots)]
    return found[::-1]


def at_or_below(directory: Path) -> list[Path]:
    """Mount points at or below a directory, innermost first."""
    root = directory.resolve()
    found = [mount.point for mount in current_mounts() if mount.point == root or root in mount.point.parents]
    return sorted(found, key=lambda path: len(path.parts), reverse=True)


def mount(source: str, target: Path, fstype: str = "", flags: int = 0, options: str = "") -> None:
    """mount(2) at an existing `target`; `options` as the file system reads them, comma-separated. Raises OSError."""
    if _libc.mount(source.encode(), os.fsencode(target), fstype.encode() or None, flags, options.encode() or None) != 0:
        _raise(target)


def mount_tmpfs(target: Path, options: str) -> None:
    """A memory-backed file system at an existing directory; `options` as "size=1048576,mode=0777". Raises OSError."""
    mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, options)


def bind(source: str, target: Path, *, recursive: bool = False) -> None:
    """Make `source` visible at the existing `target` of the same type; `recursive`: with what is mounted below it.
    Raises OSError."""
    mount(source, target, flags=MS_BIND | (MS_REC if recursive else 0))


def share(target: Path) -> None:
    """Let what is mounted at or below a mount appear at its copies (binds, other namespaces) too, and theirs here.
    Raises OSError."""
    mount("none", target, flags=MS_SHARED | MS_REC)


def detach(target: Path) -> None:
    """Detach what is mounted there, also when it is in use. Raises OSError when nothing is."""
    if _libc.umount2(os.fsencode(target), MNT_DETACH) != 0:
        _raise(target)


def remount_read_only(target: Path) -> None:
    """Let nothing be written through this mount; others of the same file system stay as they are. Raises OSError."""
    kept = os.statvfs(target).f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC)  # statvfs(3) has these as mount(2) has them
    mount("none", target, flags=MS_REMOUNT | MS_BIND | MS_RDONLY | kept)


def sync_file_system(descriptor: int) -> None:
    """Write out all that is not yet on disk of the file system that an open file is on. Raises OSError."""
    if _libc.syncfs(descriptor) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def unmount(point: Path) -> bool:
    """Take a mount out of the tree at once, also when it is in use. False when there is no mount (any more)."""
    return int(_libc.umount2(os.fsencode(point), MNT_DETACH)) == 0


def unmount_all(point: Path) -> None:
    """Take down all that is mounted at a place, one over the other; harmless when nothing is. Asks nothing of what is
    mounted there, which may hang."""
    while unmount(point):
        continue


def unmount_below(*roots: Path) -> list[Path]:
    """Take down every mount strictly below `roots`; returns those that were there."""
    points = below(current_mounts(), *roots)
    return [point for point in points if unmount(point)]


def _unescape(text: str) -> str:
    """mountinfo writes space, tab, newline and backslash as \\ooo."""
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape") if "\\" in text else text


def _raise(target: Path) -> None:
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code), str(target))
