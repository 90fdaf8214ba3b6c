"""Manifests and overlays out of a checkout: texts by path, within bounds, nothing that a link leads to.

Of an overlay everything that its kustomizations name, also beside its own folder, and no more: a repository may be
large. What cannot be read is not there; the kustomize that builds it says then what it misses.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skerry.platform.base.upstreams import Files
from skerry.platform.catalog.charts.archive import LARGEST_UNPACKED
from skerry.platform.catalog.charts.facts import BadChart
from skerry.platform.catalog.charts.foreign_yaml import read_yaml
from skerry.platform.catalog.charts.packing import content_of

_MOST, _DEEPEST, _LONGEST = 5000, 20, 500
_MANIFESTS = (".yaml", ".yml", ".json")
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def manifests_in(folder: Path) -> Files:
    """All below it, but what is in or is called something with a dot in front (`.github`). Raises BadChart, OSError."""
    reader = _Reader(folder)
    for path in _walk(folder, "", 0):
        if path.endswith(_MANIFESTS):
            reader.read(path)
    if not reader.texts:
        raise BadChart("there is no manifest in the folder: nothing ends with .yaml, .yml or .json")
    return Files(reader.texts)


def overlay_in(root: Path, folder: Path) -> Files:
    """What the kustomization in a folder needs. Raises BadChart, OSError."""
    at = posixpath.normpath(folder.relative_to(root).as_posix()).removeprefix(".")
    reader, left, seen = _Reader(root), [at], set[str]()
    while left:
        place = left.pop()
        if place in seen or not reader.has(place):
            continue
        seen.add(place)
        if (root / place).is_dir():
            left += [posixpath.join(place, name) for name in _KUSTOMIZATIONS]
            continue
        text = reader.read(place)
        if posixpath.basename(place) in _KUSTOMIZATIONS:
            left += _named_in(text, posixpath.dirname(place))
    return Files(reader.texts, at)


class _Reader:
    """Reads texts as far as there may be more."""

    def __init__(self, root: Path) -> None:
        self._root, self._left = root, LARGEST_UNPACKED
        self.texts: dict[str, str] = {}

    def has(self, place: str) -> bool:
        """Whether this is there, and no link leads to it."""
        path = self._root / place
        try:
            return path.exists() and path.resolve() == self._root.resolve() / place and ".git" not in path.parts
        except (OSError, ValueError):  # what is too long for a name, or none
            return False

    def read(self, path: str) -> str:
        """One more; "" of what is no text. Raises BadChart."""
        content = content_of(self._root / path, self._left)
        self._left -= len(content)
        if len(self.texts) >= _MOST:
            raise BadChart(f"more than {_MOST} files belong to it")
        try:
            self.texts[path] = content.decode()
        except UnicodeDecodeError:
            return ""
        return self.texts[path]


def _walk(folder: Path, prefix: str, depth: int) -> Iterator[str]:
    """Paths below a folder, in order."""
    if depth > _DEEPEST:
        raise BadChart(f"{prefix}: too deep")
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), f"{prefix}{entry.name}/", depth + 1)
        else:
            yield f"{prefix}{entry.name}"


def _named_in(text: str, folder: str) -> Iterator[str]:
    """Whatever a kustomization says that may be a place in the repository."""
    for said in _strings(text):
        for one in (said, said.partition("=")[2]):  # generators have name=file
            place = posixpath.normpath(posixpath.join(folder, one))
            if 0 < len(one) < _LONGEST and not place.startswith(("/", "../")) and place != "..":
                yield place.removeprefix("./") if place != "." else ""


def _strings(text: str) -> Iterator[str]:
    """All of a document; what is in it many times is looked at once."""
    try:
        left: list[Any] = [read_yaml(text.encode())]
    except ValueError:
        return
    seen: set[int] = set()
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict | list) and id(one) not in seen:
            seen.add(id(one))
            left += one.values() if isinstance(one, dict) else one
