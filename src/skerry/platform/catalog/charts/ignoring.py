"""`.helmignore`: which files of a directory are no part of the chart. Pure.

Source: helm.sh, "The .helmignore file": shell patterns, `/` in front or inside for paths from the chart's own
top, `/` at the end for folders, `!` to take a file back in; `**` does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

_ALWAYS = ("templates/.?*", ".git/", ".helmignore")


class Ignored:
    """The patterns of one chart."""

    def __init__(self, text: str = "") -> None:
        lines = (line.strip() for line in text.splitlines())
        self._patterns: Sequence[str] = [*_ALWAYS, *(one for one in lines if one and not one.startswith("#"))]

    def covers(self, path: str, *, is_folder: bool) -> bool:
        """`path`: from the chart's top, with slashes."""
        covered = False
        for pattern in self._patterns:
            if _matches(pattern.removeprefix("!"), path, is_folder=is_folder):
                covered = not pattern.startswith("!")
        return covered


def _matches(pattern: str, path: str, *, is_folder: bool) -> bool:
    if pattern.endswith("/"):
        if not is_folder:
            return False
        pattern = pattern.rstrip("/")
    if "/" not in pattern:
        return fnmatchcase(path.rpartition("/")[2], pattern)
    pattern = pattern.removeprefix("/")
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)
