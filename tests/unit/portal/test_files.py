"""Paths, names and listings of files in containers."""

from __future__ import annotations

import subprocess
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from skerry.portal.streams import files
from skerry.portal.streams.files import FilesRefused, Upload, entries, name_for, path_of, why
from skerry.portal.streams.reach import Container, Reach


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("", "/"),
        ("/", "/"),
        ("home/anna", "/home/anna"),
        ("//data/", "/data"),
        ("/a/../../etc", "/etc"),
        ("/a b", "/a b"),
    ],
)
def test_paths(written: str, path: str) -> None:
    assert path_of(written) == path


@pytest.mark.parametrize("written", ["a\0b", "x" * 5000])
def test_what_is_no_path(written: str) -> None:
    with pytest.raises(FilesRefused):
        path_of(written)


@pytest.mark.parametrize("written", ["", ".", "..", "a/b", "a\nb", "x" * 256, "ä" * 128])
def test_what_is_no_name(written: str) -> None:
    with pytest.raises(FilesRefused):
        name_for(written)


def test_a_listing_of_what_is_really_there(tmp_path: Path) -> None:
    (tmp_path / "Folder").mkdir()
    (tmp_path / "b ü\n|.txt").write_text("12345")
    (tmp_path / "empty").touch()
    (tmp_path / "link").symlink_to("empty")
    words = [
        "find",
        f"{tmp_path}/",
        "-mindepth",
        "1",
        "-maxdepth",
        "1",
        "-exec",
        "stat",
        "-c",
        files._FORMAT,
        "{}",
        "+",
    ]
    printed = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
    assert [(one.name, one.kind) for one in entries(printed)] == [
        ("Folder", "directory"), ("b ü\n|.txt", "file"), ("empty", "file"), ("link", "link"),
    ]  # fmt: skip
    assert next(one.size for one in entries(printed) if one.name.startswith("b")) == 5
    assert entries("nonsense") == []
    for wrong in ("²", "--5", "9" * 5000):
        row = files._FIELD.join((f"{files._ROW}regular file", wrong, wrong, "/x"))
        assert entries(row) == [], "a container prints what it likes"


class _Talks:
    """Stands for a command that says more than anybody hears."""

    def __init__(self, most: int) -> None:
        self._left = most

    async def send(self, data: bytes) -> None:
        pass

    async def close_input(self) -> None:
        pass

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        while self._left:
            self._left -= 1
            yield 2, b"x" * 65536

    def code(self) -> int:
        return 1


async def test_what_a_container_says_while_a_file_comes_in_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    talks = _Talks(2000)

    @asynccontextmanager
    async def begun(*_: object) -> AsyncIterator[_Talks]:
        yield talks

    async def nothing() -> AsyncIterator[bytes]:
        return
        yield b""

    monkeypatch.setattr(files, "begun", begun)
    tracemalloc.start()
    try:
        with pytest.raises(FilesRefused, match="xxx"):
            await files.bring(Reach(cast("Any", None), ()), Container("n", "p", "c"), Upload("/", "a", 0, 0), nothing())
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024**2
    finally:
        tracemalloc.stop()


def test_why_it_could_not_be_done() -> None:
    assert (
        why(127, b"tar: not there", "tar", "/x")
        == "this container has no program `tar`: files cannot be moved through it"
    )
    runtime = b'OCI runtime exec failed: exec: "find": executable file not found in $PATH'
    assert "has no program `find`" in why(1, runtime, "find", "/x")
    assert why(1, b"tar: x\ntar: /root: Cannot open: Permission denied\n", "tar", "/root").endswith("Permission denied")
    gnu = b"tar: /x: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now\n"
    assert why(2, gnu, "tar", "/x").endswith("No such file or directory")
    assert why(2, b"", "tar", "/root") == "tar could not work on /root"
