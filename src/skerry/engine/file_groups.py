"""fsGroup: a volume's files belong to the pod's group, which may read and write them, and new files inherit it.

A container may be changing the same files meanwhile: nothing is reached through a link, so that it cannot have files
of others given away. Source of the behaviour: Kubernetes' `pkg/volume/volume_linux.go`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

_SETGID, _FILE, _DIRECTORY = 0o2000, 0o660, 0o770
_FILE_READ, _DIRECTORY_READ = 0o440, 0o550


def always() -> bool:
    """Go on to the end."""
    return True


def give_to_group(root: Path, group: int, *, read_only: bool = False, go_on: Callable[[], bool] = always) -> None:
    """Change the group of everything at and below `root` and give it permissions, until `go_on` says no; the root
    comes last, so that it tells whether all was done. Links themselves change hands, what they lead to does not. What
    vanishes meanwhile is left out. Raises OSError."""
    try:
        _give_below(root, group, read_only, go_on)
    except RecursionError:
        raise OSError(errno.ELOOP, "Directories are nested too deeply to be given to a group", str(root)) from None


def _give_below(root: Path, group: int, read_only: bool, go_on: Callable[[], bool]) -> None:
    for _, directories, files, parent in os.fwalk(root, topdown=False, follow_symlinks=False):
        for name in files:
            _give(parent, name, group, read_only)
        _give(parent, ".", group, read_only)
        for name in directories:
            if stat.S_ISLNK(os.lstat(name, dir_fd=parent).st_mode):
                _give(parent, name, group, read_only)
        if not go_on():
            return


def is_given(root: Path, group: int) -> bool:
    """Whether the root of a volume looks as `give_to_group` leaves it (`OnRootMismatch`). Raises OSError."""
    status = root.stat()
    wanted = _DIRECTORY | _SETGID
    return status.st_gid == group and status.st_mode & wanted == wanted


def _give(parent: int, name: str, group: int, read_only: bool) -> None:
    with contextlib.suppress(FileNotFoundError):
        status = os.lstat(name, dir_fd=parent)
        if status.st_gid != group:
            os.chown(name, -1, group, dir_fd=parent, follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            return
        mode = stat.S_IMODE(status.st_mode)
        wanted = mode | _permissions(stat.S_ISDIR(status.st_mode), read_only)
        if wanted != mode or status.st_gid != group:  # a change of the group takes setgid away
            _change_mode(parent, name, wanted)


def _permissions(is_directory: bool, read_only: bool) -> int:
    if is_directory:
        return (_DIRECTORY_READ if read_only else _DIRECTORY) | _SETGID
    return _FILE_READ if read_only else _FILE


def _change_mode(parent: int, name: str, mode: int) -> None:
    descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        os.chmod(f"/proc/self/fd/{descriptor}", mode)
    finally:
        os.close(descriptor)
