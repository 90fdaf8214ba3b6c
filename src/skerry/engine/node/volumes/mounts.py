"""mount(2) and umount2(2), without starting a program. Mounts are made in the engine's own mount namespace, which
containerd shares, so they vanish with the instance. All functions raise OSError."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

MS_NOSUID, MS_NODEV, MS_BIND = 2, 4, 4096
MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)


def mount_tmpfs(target: Path, options: str) -> None:
    """A memory-backed file system at an existing directory; `options` as "size=1048576,mode=0777"."""
    _mount(b"tmpfs", target, b"tmpfs", MS_NOSUID | MS_NODEV, options)


def bind(source: str, target: Path) -> None:
    """Make `source` visible at the existing `target` of the same type."""
    _mount(source.encode(), target, b"", MS_BIND, "")


def unmount(target: Path) -> None:
    """Detach what is mounted there, also when it is in use."""
    if _libc.umount2(os.fsencode(target), MNT_DETACH) != 0:
        _raise(target)


def below(directory: Path) -> list[Path]:
    """Mount points at or below a directory, innermost first."""
    prefix = str(directory.resolve())
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
        for line in table:
            point = line.split(" ", 5)[4].encode("utf-8", "surrogateescape").decode("unicode_escape")
            if point == prefix or point.startswith(prefix + "/"):
                found.append(Path(point))
    return sorted(found, key=lambda path: len(path.parts), reverse=True)


def _mount(source: bytes, target: Path, kind: bytes, flags: int, options: str) -> None:
    if _libc.mount(source, os.fsencode(target), kind or None, flags, options.encode() or None) != 0:
        _raise(target)


def _raise(target: Path) -> None:
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code), str(target))
