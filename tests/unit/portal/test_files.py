"""Paths, names and listings of files in containers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from skerry.portal.streams import files
from skerry.portal.streams.files import FilesRefused, entries, name_for, path_of, why


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
