"""Loop devices: a file as a block device, by ioctl, without starting a program.

A device is attached with `autoclear` wherever something will be mounted from it: the kernel frees it when nobody holds
it any more, so that neither a killed engine nor a mount namespace that ends leaves one behind. One file has one device
at most: two file systems over the same bytes would destroy each other, so a device that is still there is used again.
Source: loop(4), `include/uapi/linux/loop.h`.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

from skerry.kube.records import record

_CONTROL, _DEVICES = Path("/dev/loop-control"), Path("/dev")
_SET_FREE, _GET_STATUS, _SET_CAPACITY, _CONFIGURE, _GET_FREE = 0x4C01, 0x4C05, 0x4C07, 0x4C0A, 0x4C82
_AUTOCLEAR, _DIRECT_IO = 4, 16
_INFO = struct.Struct("=5Q4I64s64s32s2Q")  # struct loop_info64
_MAJOR = 7
_SECTOR = 4096  # direct IO on a file that shares blocks with others needs as much, and may come to need it any time
_ATTEMPTS = 100  # others on the machine take free devices too


class LoopError(OSError):
    """A loop device cannot be had; the message says what is missing."""


@record
class LoopDevice:
    """An attached device. `file`: what the kernel says is behind it, " (deleted)" included."""

    device: Path
    file: str


@contextlib.contextmanager
def attached(image: Path, *, keep: bool = False) -> Iterator[Path]:
    """The device of a file, there at least until the `with` ends and then as long as something is mounted from it;
    with `keep` until `detach`. Raises LoopError."""
    descriptor, device = _open_attached(image) or _attach(image, _DIRECT_IO | (0 if keep else _AUTOCLEAR))
    try:
        yield device
    finally:
        os.close(descriptor)


def find(image: Path) -> Path | None:
    """The device of a file, None when it has none."""
    if (found := _open_attached(image)) is None:
        return None
    os.close(found[0])
    return found[1]


def detach(image: Path) -> None:
    """Free the device of a file; one in use is freed when its last user is gone. Harmless when there is none."""
    if (device := find(image)) is not None:
        free(device)


def free(device: Path) -> None:
    """Free a device, at the latest when its last user is gone. Harmless when it is free."""
    with _opened(device) as descriptor, contextlib.suppress(OSError):
        fcntl.ioctl(descriptor, _SET_FREE)


def follow_size(device: Path) -> None:
    """Let a device be as large as its file has become. Raises OSError."""
    with _opened(device) as descriptor:
        fcntl.ioctl(descriptor, _SET_CAPACITY)


def below(directory: Path) -> list[LoopDevice]:
    """Attached devices whose file is, or was, below a directory; then those whose file is in the file system on one of
    these: where that is mounted no more, or in another mount namespace, their paths do not tell."""
    attached_now = all_attached()
    found = [one for one in attached_now if one.file.startswith(f"{directory.resolve()}/")]
    numbers = {one.device.stat().st_rdev for one in found}
    return found + [one for one in attached_now if numbers and one not in found and _behind(one.device) in numbers]


def all_attached() -> list[LoopDevice]:
    """All attached devices of the machine."""
    return [LoopDevice(_DEVICES / name, file) for name, file in _backed()]


def _behind(device: Path) -> int | None:
    """Number of the device that the file behind a loop device is on."""
    with contextlib.suppress(OSError), _opened(device) as descriptor:  # freed in between
        return _status(descriptor)[0]
    return None


def _status(descriptor: int) -> tuple[int, int]:
    """Of the file behind an open device: the number of the device it is on, and its inode. Raises OSError."""
    info = bytearray(_INFO.size)
    fcntl.ioctl(descriptor, _GET_STATUS, info)
    number, inode = _INFO.unpack(info)[:2]
    return number, inode


def _backed() -> Iterator[tuple[str, str]]:
    """Names and files. Without paths as objects: a machine that had hundreds keeps the entries for ever."""
    for name in os.listdir("/sys/block"):
        if name.startswith("loop") and os.access(f"/sys/block/{name}/loop", os.F_OK):
            with contextlib.suppress(OSError), open(f"/sys/block/{name}/loop/backing_file", "rb") as file:
                yield name, os.fsdecode(file.read()).rstrip("\n")


def _open_attached(image: Path) -> tuple[int, Path] | None:
    """An open descriptor, which keeps the device attached, and the device of a file."""
    try:
        status = image.stat()
    except FileNotFoundError:
        return None
    for name, file in _backed():
        # the path is as another mount namespace may see it; its end is not
        if image.name in file and (opened := _open_if(device := _node(name), status)) is not None:
            return opened, device
    return None


def _open_if(device: Path, status: os.stat_result) -> int | None:
    descriptor = os.open(device, os.O_RDWR | os.O_CLOEXEC)
    with contextlib.suppress(OSError):  # freed in between
        if _status(descriptor) == (status.st_dev, status.st_ino):
            return descriptor
    os.close(descriptor)
    return None


def _attach(image: Path, flags: int) -> tuple[int, Path]:
    file = os.open(image, os.O_RDWR | os.O_CLOEXEC)
    try:
        return _configured(file, os.fsencode(image), flags)
    except OSError as error:
        if error.errno != errno.EINVAL or not flags & _DIRECT_IO:
            raise
        return _configured(file, os.fsencode(image), flags & ~_DIRECT_IO)  # the file system has none
    finally:
        os.close(file)


def _configured(file: int, name: bytes, flags: int) -> tuple[int, Path]:
    info = _INFO.pack(0, 0, 0, 0, 0, 0, 0, 0, flags, name[-63:], b"", b"", 0, 0)
    for _ in range(_ATTEMPTS):
        device = _free_device()
        descriptor = os.open(device, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(descriptor, _CONFIGURE, struct.pack("=2I", file, _SECTOR) + info + bytes(64))
        except OSError as error:
            os.close(descriptor)
            if error.errno != errno.EBUSY:
                raise
            continue
        return descriptor, device
    raise LoopError(errno.EBUSY, "others take every free loop device")


def _free_device() -> Path:
    try:
        with _opened(_CONTROL) as control:
            number = fcntl.ioctl(control, _GET_FREE)
    except OSError as error:
        raise LoopError(error.errno, f"no loop device can be had on this machine: {error.strerror}") from error
    return _node(f"loop{number}")


def _node(name: str) -> Path:
    device = _DEVICES / name
    if not device.exists():  # a /dev that the kernel does not fill, or a new one of a container that was made again
        with contextlib.suppress(FileExistsError):
            os.mknod(device, 0o600 | stat.S_IFBLK, os.makedev(_MAJOR, int(name.removeprefix("loop"))))
    return device


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
