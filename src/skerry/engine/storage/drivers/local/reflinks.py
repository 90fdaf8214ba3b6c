"""Files that share blocks until one of them is written: FICLONE, and whether a directory's file system has it.

The clone is of one moment: XFS and btrfs keep writers of the file out meanwhile, those through a loop device too. So a
file system in it is as after a power cut, which its journal mends, and nothing needs to be frozen that a dying engine
would leave frozen. Source: ioctl_ficlone(2), FS_IOC_SETFLAGS in ioctl_iflags(2), FS_IOC_FSSETXATTR in
ioctl_xfs_fsgetxattr(2).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import struct
import tempfile
from pathlib import Path

_FICLONE = 0x40049409
_GET_FLAGS, _SET_FLAGS, _NO_COW = 0x80086601, 0x40086602, 0x00800000
_GET_ATTRIBUTES, _SET_ATTRIBUTES, _IN_PIECES = 0x801C581F, 0x401C5820, 0x800
_ATTRIBUTES = struct.Struct("=5I8x")  # struct fsxattr: flags, size of pieces, ...
_PIECE = 2**20
_KEEP_SIZE, _PUNCH_HOLE = 1, 2
_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


def clone(source: Path, target: Path) -> None:
    """Let an existing empty file have the content of another. Raises OSError."""
    first = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    second = os.open(target, os.O_WRONLY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(second, _FICLONE, first)
    finally:
        os.close(first)
        os.close(second)


def supported(directory: Path) -> bool:
    """Whether files in a directory can share blocks; tried with two that leave nothing behind."""
    with contextlib.ExitStack() as stack:
        first, second = (stack.enter_context(tempfile.TemporaryFile(dir=directory)) for _ in range(2))
        first.write(bytes(4096))
        first.flush()
        try:
            fcntl.ioctl(second.fileno(), _FICLONE, first.fileno())
        except OSError:
            return False
    return True


def without_copy_on_write(directory: Path) -> None:
    """Have files made in a directory written in place where their blocks are not shared: btrfs is slow otherwise.
    Harmless where the file system knows no such thing."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            (flags,) = struct.unpack("L", fcntl.ioctl(descriptor, _GET_FLAGS, bytes(8)))
            fcntl.ioctl(descriptor, _SET_FLAGS, struct.pack("L", flags | _NO_COW))
    finally:
        os.close(descriptor)


def in_large_pieces(file: Path) -> None:
    """Have an empty file's blocks given in pieces of 1 MiB, not one by one in the order in which they are written: what
    was written at random would be read in as many pieces for ever. Harmless where the file system has no such hint."""
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            flags, _, *rest = _ATTRIBUTES.unpack(fcntl.ioctl(descriptor, _GET_ATTRIBUTES, bytes(_ATTRIBUTES.size)))
            fcntl.ioctl(descriptor, _SET_ATTRIBUTES, _ATTRIBUTES.pack(flags | _IN_PIECES, _PIECE, *rest))
    finally:
        os.close(descriptor)


def punch(file: Path, offset: int, length: int) -> None:
    """Give the blocks of a range back, which then reads as zeros. Raises OSError."""
    descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    try:
        if _libc.fallocate(descriptor, _PUNCH_HOLE | _KEEP_SIZE, offset, length) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(file))
    finally:
        os.close(descriptor)
