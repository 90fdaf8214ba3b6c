"""The file systems in images: made, mended, grown while they are mounted.

ext4 grows while mounted only for who has CAP_SYS_RESOURCE, which root lacks in some containers and sandboxes; there XFS
is what a volume gets when its class names neither. Source: mke2fs(8), mkfs.xfs(8), EXT4_IOC_RESIZE_FS in
`fs/ext4/ioctl.c`, xfs_growfs(8).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
from functools import cache
from pathlib import Path

from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.drivers import programs
from skerry.engine.storage.drivers.local import reflinks, sizing
from skerry.engine.storage.drivers.local.parameters import Parameters

_EXT4_RESIZE = 0x40086610
_EXT4_MAGIC, _HAD_ERRORS = 0xEF53, 2
_CAP_SYS_RESOURCE = 24
_SMALL_XFS = 300 * sizing.MIB
_LOG_HEAD = sizing.MIB
_LONG = 3600.0  # seconds: in proportion to the data
_MENDED = (0, 1)  # e2fsck: nothing to do, or all mended
MOUNT_OPTIONS = {"ext4": "discard,errors=remount-ro", "xfs": "discard,nouuid"}
"""Deleted data go back to the host at once; a clone of an XFS bears its original's identity."""


def choose(asked: str) -> str:
    """The file system of a volume whose class asks for `asked`, "" for any."""
    if asked:
        return asked
    return "ext4" if may_grow_ext4() or not _knows_xfs() else "xfs"


@cache
def may_grow_ext4() -> bool:
    """Whether the kernel lets this process grow a mounted ext4."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> _CAP_SYS_RESOURCE & 1)
    return False


def make(image: Path, fs_type: str, size: int, parameters: Parameters) -> None:
    """Make a file system in a new empty file, in which `size` bytes can be stored. Raises StorageError, OSError."""
    length = sizing.image_size(size, fs_type, inodes=parameters.inodes, bytes_per_inode=parameters.bytes_per_inode)
    os.truncate(image, length)
    if fs_type == "ext4":
        _make_ext4(image, length, parameters)
    elif fs_type == "xfs":
        _make_xfs(image, length)


def _make_ext4(image: Path, length: int, parameters: Parameters) -> None:
    inodes = ("-N", str(parameters.inodes)) if parameters.inodes else ("-i", str(parameters.bytes_per_inode))
    programs.run(
        "mkfs.ext4", "-q", "-F", "-m", "0", "-b", str(sizing.BLOCK), "-J", f"size={sizing.journal_mib(length)}",
        "-E", "nodiscard,assume_storage_prezeroed=1", *inodes, str(image), package="e2fsprogs",
    )  # fmt: skip


def _make_xfs(image: Path, length: int) -> None:
    # below 300 MiB mkfs.xfs wants to be told twice; with one group it stays quick when it grows a hundredfold
    small = ("--unsupported", "-d", "agcount=1") if length < _SMALL_XFS else ()
    programs.run("mkfs.xfs", "-q", "-f", "-K", "-s", "size=4096", *small, str(image), package="xfsprogs")
    with contextlib.suppress(OSError):  # its empty log was given blocks, 64 MiB of them
        reflinks.punch(image, *_empty_log(image))


def _empty_log(image: Path) -> tuple[int, int]:
    """Offset and bytes of the log of a new XFS behind the record that mkfs.xfs wrote. Source: `struct xfs_dsb`."""
    with image.open("rb") as file:
        head = file.read(256)
    (block,) = struct.unpack_from(">I", head, 4)
    (start,) = struct.unpack_from(">Q", head, 48)
    (per_group,) = struct.unpack_from(">I", head, 84)
    (blocks,) = struct.unpack_from(">I", head, 96)
    group, within = start >> head[124], start & ((1 << head[124]) - 1)
    return (group * per_group + within) * block + _LOG_HEAD, blocks * block - _LOG_HEAD


def prepare(image: Path, fs_type: str, lock: int) -> bool:
    """What an image needs before it is mounted, mostly nothing: a journal is replayed by mounting. An ext4 that noticed
    errors is mended, one that may not grow while mounted grows now; programs that do so hold `lock`. Whether e2fsck was
    at it, which makes a directory lost+found. Raises StorageError INTERNAL when a person has to look at it."""
    if fs_type != "ext4":
        return False
    too_small = not may_grow_ext4() and is_smaller(image, fs_type)
    damaged = _had_errors(image)
    if too_small or damaged:
        _long("e2fsck", "-f", "-p", str(image), lock=lock, accepted=_MENDED)
    if too_small:
        _long("resize2fs", str(image), lock=lock)
    return too_small or damaged


def _long(program: str, *arguments: str, lock: int, accepted: tuple[int, ...] = (0,)) -> None:
    programs.run(program, *arguments, package="e2fsprogs", accepted=accepted, limit=_LONG, inherited=(lock,))


def is_smaller(image: Path, fs_type: str) -> bool:
    """Whether a file system does not fill its image. Raises StorageError INTERNAL when there is none in it."""
    return _length(image, fs_type) + sizing.MIB <= image.stat().st_size


def _had_errors(image: Path) -> bool:
    with image.open("rb") as file:
        file.seek(1024)
        (state,) = struct.unpack_from("<H", file.read(64), 58)
    return bool(state & _HAD_ERRORS)


def grow(point: Path, fs_type: str, length: int) -> bool:
    """Let a mounted file system fill a device of `length` bytes, also when it is full. False when this process may
    not: then it has to be done unmounted. Raises StorageError, OSError."""
    if fs_type == "xfs":
        programs.run("xfs_growfs", "-d", str(point), package="xfsprogs")
        return True
    descriptor = os.open(point, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _EXT4_RESIZE, struct.pack("<Q", length // sizing.BLOCK))
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        return False
    finally:
        os.close(descriptor)
    return True


def open_to_all(point: Path) -> None:
    """Let a fresh root directory be as that of an emptyDir: writable for every user of the pod, without lost+found."""
    found = os.listdir(point)
    status = point.stat()
    if found not in ([], ["lost+found"]) or (status.st_uid, status.st_mode & 0o7777) != (0, 0o755):
        return
    point.chmod(0o777)
    without_lost_and_found(point)


def without_lost_and_found(point: Path) -> None:
    """Remove it unless something was found: programs like PostgreSQL want their directory empty."""
    with contextlib.suppress(OSError):
        (point / "lost+found").rmdir()


def _knows_xfs() -> bool:
    if programs.find("mkfs.xfs") is None:
        return False
    return "\txfs\n" in Path("/proc/filesystems").read_text()


def _length(image: Path, fs_type: str) -> int:
    """Bytes that the file system in an image spans. Raises StorageError INTERNAL when there is none."""
    with image.open("rb") as file:
        head = file.read(2048)
    if fs_type == "ext4" and len(head) == 2048 and struct.unpack_from("<H", head, 1024 + 56)[0] == _EXT4_MAGIC:
        low, high = struct.unpack_from("<I", head, 1024 + 4)[0], struct.unpack_from("<I", head, 1024 + 0x150)[0]
        return int(low + (high << 32)) * sizing.BLOCK
    if fs_type == "xfs" and head.startswith(b"XFSB"):
        block, blocks = struct.unpack_from(">IQ", head, 4)
        return int(block * blocks)
    raise StorageError("INTERNAL", f"{image} holds no {fs_type} file system")
