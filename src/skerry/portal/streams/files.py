"""Files of a container, by programs that images have: `find` and `stat` list, `cat` and `tar` give, `tar` takes.

Commands are lists of words, never a shell's line; paths are absolute and go as they are. What a container lacks a
program for is said by name. Nothing is kept here: pieces pass between browser and container.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from skerry.kube.records import record
from skerry.portal.streams.execution import STDOUT, Command, Running, begun, said
from skerry.portal.streams.reach import Container, Reach
from skerry.portal.streams.tar import archive

_ROW, _FIELD = "\x1e", "\x1f"
_FORMAT = f"{_ROW}%F{_FIELD}%s{_FIELD}%Y{_FIELD}%n"
_LARGEST_LISTING = 1024 * 1024
_LONGEST_PATH = _MOST_HEARD = 4096
_NUMBER = re.compile(r"-?[0-9]{1,15}")
MOST = 2000
"""Entries that are shown of a directory."""
LARGEST_UPLOAD = 2 * 1024**3
"""Bytes of one file."""
_NOT_THERE = ("not found", "no such file or directory", "executable file")
_CANNOT_RUN = (126, 127)  # as the engine and shells tell it
_LAST_WORDS = "exiting"
"""What GNU tar says after it has said why."""
FileKind = Literal["directory", "file", "link", "other"]


class FilesRefused(Exception):
    """Why it cannot be done, for the person."""


@record
class Entry:
    """In a directory."""

    name: str
    kind: FileKind
    size: int
    """Bytes."""
    modified: int
    """Seconds since 1970."""


def path_of(written: str) -> str:
    """An absolute path without "..", as a person may write it. Raises FilesRefused."""
    path = posixpath.normpath("/" + written.strip("/")) if written.strip("/") else "/"
    if len(path) > _LONGEST_PATH or "\0" in path:
        raise FilesRefused("this is no path of a file")
    return path


def name_for(written: str) -> str:
    """The name of a file that is brought in: one part of a path. Raises FilesRefused."""
    name = written.strip()
    if not name or name in (".", "..") or "/" in name or not name.isprintable() or len(name.encode()) > 255:
        raise FilesRefused("this is no name of a file")
    return name


async def listing(reach: Reach, at: Container, path: str) -> list[Entry]:
    """What is in a directory; directories first, then by name. Raises FilesRefused, StatusError, OSError."""
    words = [
        "find",
        f"{path.rstrip('/')}/",
        "-mindepth",
        "1",
        "-maxdepth",
        "1",
        "-exec",
        "stat",
        "-c",
        _FORMAT,
        "{}",
        "+",
    ]
    code, output, errors = await said(reach, Command(at, words), _LARGEST_LISTING)
    found = entries(output.decode(errors="replace"))
    if code and not found:
        raise FilesRefused(why(code, errors or output, "find", path))
    return found


def entries(output: str) -> list[Entry]:
    """What `stat` printed, at most `MOST`."""
    rows = [row.rstrip("\n").split(_FIELD, 3) for row in output.split(_ROW)]
    read = [_entry(row) for row in rows if len(row) == 4 and all(map(_NUMBER.fullmatch, row[1:3]))]
    return sorted(read, key=lambda one: (one.kind != "directory", one.name.casefold(), one.name))[:MOST]


@asynccontextmanager
async def content(reach: Reach, at: Container, path: str, *, is_directory: bool) -> AsyncIterator[AsyncIterator[bytes]]:
    """A file as it is, or a directory as a tar archive; something has been read when this begins, so that a file that
    cannot be read is refused and not empty. Its end raises when it is not whole. Raises FilesRefused, StatusError,
    OSError."""
    folder, name = posixpath.split(path)
    words = ["tar", "-cf", "-", "-C", folder, "--", name or "."] if is_directory else ["cat", "--", path]
    async with begun(reach, Command(at, words)) as running:
        pieces = _pieces(running, words[0], path)
        first = await anext(pieces, b"")
        yield _after(first, pieces)


@record
class Upload:
    """A file to bring into a directory."""

    folder: str
    name: str
    size: int
    modified: int


async def bring(reach: Reach, at: Container, upload: Upload, data: AsyncIterator[bytes]) -> None:
    """Returns when the container has it. Raises FilesRefused, WrongSize, StatusError, OSError."""
    words = ["tar", "-xmf", "-", "-C", upload.folder]
    async with begun(reach, Command(at, words, stdin=True)) as running:
        async for piece in archive(upload.name, upload.size, upload.modified, data):
            await running.send(piece)
        await running.close_input()
        heard = bytearray()
        async for _, words_ in running.output():
            _hear(heard, words_)
        if code := running.code():
            raise FilesRefused(why(code, bytes(heard), "tar", upload.folder))


async def _pieces(running: Running, program: str, path: str) -> AsyncIterator[bytes]:
    errors = bytearray()
    async for channel, data in running.output():
        if channel == STDOUT:
            yield data
        else:
            _hear(errors, data)
    if code := running.code():
        raise FilesRefused(why(code, bytes(errors), program, path))


def _hear(heard: bytearray, data: bytes) -> None:
    """As much as is needed to say why: what is called tar in a container may say more than we can hold."""
    heard.extend(data[: _MOST_HEARD - len(heard)])


async def _after(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece


def _entry(row: Sequence[str]) -> Entry:
    kinds: dict[str, FileKind] = {"directory": "directory", "symbolic link": "link"}
    kind: FileKind = "file" if "regular" in row[0] else kinds.get(row[0], "other")
    return Entry(posixpath.basename(row[3]), kind, int(row[1]), int(row[2]))


def why(code: int, heard: bytes, program: str, path: str) -> str:
    """Why a program did not do it, for the person."""
    text = heard.decode(errors="replace").strip()
    if code in _CANNOT_RUN or ("exec" in text and any(part in text.lower() for part in _NOT_THERE)):
        return f"this container has no program `{program}`: files cannot be moved through it"
    said_ = [line for line in text.splitlines() if _LAST_WORDS not in line.lower()]
    return said_[-1][:500] if said_ else f"{program} could not work on {path}"
