"""Tar archives of one file, made and read piece by piece. Pure but for the pieces.

Source: POSIX ustar, and GNU's long names, which both GNU tar and busybox read.
"""

from __future__ import annotations

import tarfile
from collections.abc import AsyncIterator

_BLOCK = 512
_END = bytes(2 * _BLOCK)


class WrongSize(Exception):
    """There was more or less than was said; the archive breaks off."""


def header(name: str, size: int, modified: int) -> bytes:
    """The blocks before a file's content. `modified`: seconds since 1970."""
    told = tarfile.TarInfo(name)
    told.size, told.mtime, told.mode = size, modified, 0o644
    return told.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


async def archive(name: str, size: int, modified: int, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """An archive of one file. Raises WrongSize."""
    yield header(name, size, modified)
    sent = 0
    async for piece in content:
        sent += len(piece)
        if sent > size:
            raise WrongSize(f"more than the {size} bytes that were announced")
        yield piece
    if sent < size:
        raise WrongSize(f"{sent} of {size} bytes came")
    yield bytes(-size % _BLOCK) + _END
