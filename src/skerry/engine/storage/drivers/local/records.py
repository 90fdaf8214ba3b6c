"""What is known about a volume or a snapshot: a directory of its own with the image and a small JSON file.

A directory is filled under a name that nobody looks at and then renamed, and renamed back before it is emptied: it is
there completely or not at all, whenever the engine or the machine dies. `sweep_halves` removes what such a death left.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from skerry.engine.private_files import to_disk, write_private
from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.drivers.local import reflinks
from skerry.kube.records import record

_MAKING, _GOING = ".making-", ".going-"
_RECORD = "record.json"


@record
class Record:
    """A volume or a snapshot. `size`: usable bytes. `shared`: bytes of the image that others' blocks back too, so that
    rewriting them takes new space. `fs_type` is "" for a device without file system."""

    name: str
    size: int
    fs_type: str
    made: float
    """Seconds since the epoch."""
    snapshots: bool = True
    inodes: int = 0
    bytes_per_inode: int = 16384
    overcommit: float = 1.0
    shared: int = 0
    volume: str = ""
    """Of a snapshot: what it was taken from. Of a volume: the volume or snapshot it began as."""
    namespace: str = ""
    claim: str = ""


def image_of(folder: Path) -> Path:
    """The image in a volume's or snapshot's directory: its name tells in `losetup` whose it is."""
    return folder / f"{folder.name}.img"


def read(folder: Path) -> Record | None:
    """What the directory holds, None when it is not there. Raises StorageError when it cannot be understood."""
    path = f"{folder}/{_RECORD}"
    try:
        status = os.stat(path)
        return _read(path, status.st_ino, status.st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=4096)
def _read(path: str, _inode: int, _changed: int) -> Record:
    """Kept as long as the file is the same: promises are added up at every creation."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        return Record(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise StorageError("INTERNAL", f"{path} cannot be read: {error}") from error


def everything(parent: Path) -> Iterator[tuple[Path, Record]]:
    """Directories and records of all that is below `parent`."""
    if not parent.is_dir():
        return
    for folder in sorted(parent.iterdir()):
        if not folder.name.startswith(".") and (found := read(folder)) is not None:
            yield folder, found


def make(folder: Path, kept: Record, fill: Callable[[Path], None]) -> None:
    """Make a directory with a record and the image that `fill` makes. Raises what `fill` raises, and then nothing of it
    is left."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    making = folder.parent / f"{_MAKING}{folder.name}"
    _remove(making)
    making.mkdir(mode=0o700)
    image = making / f"{folder.name}.img"
    try:
        os.close(os.open(image, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        reflinks.in_large_pieces(image)
        fill(image)
        _write(making, kept)
        to_disk(image)
        to_disk(making)
        making.rename(folder)
    except BaseException:
        _remove(making)
        raise
    to_disk(folder.parent)


def replace(folder: Path, kept: Record) -> None:
    """Write a changed record in place of the old one."""
    _write(folder, kept)
    to_disk(folder)


def remove(folder: Path) -> None:
    """Remove a directory with all that is in it; harmless when it is gone."""
    going = folder.parent / f"{_GOING}{folder.name}"
    _remove(going)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(going)
        to_disk(folder.parent)
    _remove(going)


def sweep_halves(parent: Path) -> None:
    """Remove what a crash left half made or half removed. While nobody makes or removes anything there."""
    if parent.is_dir():
        for entry in parent.iterdir():
            if entry.name.startswith((_MAKING, _GOING)):
                _remove(entry)


def _write(folder: Path, kept: Record) -> None:
    content = {name: getattr(kept, name) for name in Record.__match_args__}
    write_private(folder / _RECORD, json.dumps(content).encode())


def _remove(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
