"""Packs the directory of a chart: the same files give the same bytes, so that the same chart has the same digest.

Dependencies have to be in `charts/` already, or beside the chart (`repository: file://../common`): those are packed
with it. Nothing is fetched. Links are refused, as in archives.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skerry.platform.catalog.charts.archive import LARGEST_UNPACKED
from skerry.platform.catalog.charts.facts import NAME, BadChart
from skerry.platform.catalog.charts.foreign_yaml import read_yaml
from skerry.platform.catalog.charts.ignoring import Ignored

_DEEPEST = 20
_LARGEST_TEXT = 1 << 20


def pack(chart: Path, root: Path) -> bytes:
    """The archive of one chart. `root`: dependencies beside it may be anywhere below. Raises BadChart, OSError."""
    packed = io.BytesIO()
    name, left = _name_of(chart), [LARGEST_UNPACKED]
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, file in _files(chart, root, 0):
            _add(tar, f"{name}/{path}", file, left)
    return gzip.compress(packed.getvalue(), compresslevel=9, mtime=0)


def _files(chart: Path, root: Path, depth: int) -> Iterator[tuple[str, Path]]:
    """Paths in the archive, and where the files are, in order."""
    if depth > 3:
        raise BadChart(f"{chart.name}: charts beside it lead in a circle")
    yield from _own_files(chart)
    for name, where in _beside(chart, root):
        if not (chart / "charts" / name).exists():
            for path, file in _files(where, root, depth + 1):
                yield f"charts/{name}/{path}", file


def _own_files(chart: Path) -> Iterator[tuple[str, Path]]:
    rules = chart / ".helmignore"
    ignored = Ignored(content_of(rules, _LARGEST_TEXT).decode("utf-8", "replace") if os.path.lexists(rules) else "")
    yield from _walk(chart, "", ignored, 0)


def _walk(folder: Path, prefix: str, ignored: Ignored, depth: int) -> Iterator[tuple[str, Path]]:
    if depth > _DEEPEST:
        raise BadChart(f"{folder}: too deep")
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        path = f"{prefix}{entry.name}"
        is_folder = entry.is_dir(follow_symlinks=False)
        if ignored.covers(path, is_folder=is_folder):
            continue
        if is_folder:
            yield from _walk(Path(entry.path), f"{path}/", ignored, depth + 1)
        else:
            yield path, Path(entry.path)


def _add(tar: tarfile.TarFile, path: str, file: Path, left: list[int]) -> None:
    """`left`: bytes that may still come. What changes under our hands is read as far as it was long."""
    content = content_of(file, left[0])
    left[0] -= len(content)
    member = tarfile.TarInfo(path)
    member.size, member.mode = len(content), 0o644
    tar.addfile(member, io.BytesIO(content))


def content_of(file: Path, most: int) -> bytes:
    """Of a file itself, never of one that a link leads to. Raises BadChart."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise BadChart(f"{file.name} cannot be read ({error.strerror}): links are not followed") from None
    with os.fdopen(descriptor, "rb") as reader:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BadChart(f"{file.name} is no file")
        content = reader.read(most + 1)
    if len(content) > most:
        raise BadChart(f"{file.name} is too large: a chart has up to {LARGEST_UNPACKED >> 20} MiB")
    return content


def _name_of(chart: Path) -> str:
    name = str(_described(chart).get("name") or "")
    if not NAME.fullmatch(name):
        raise BadChart(f"{chart.name}/Chart.yaml: {name[:70]!r} cannot be the name of a chart here")
    return name


def _beside(chart: Path, root: Path) -> Iterator[tuple[str, Path]]:
    """Dependencies that are directories, by name. Raises BadChart for those that nobody has put there."""
    listed = _described(chart).get("dependencies")
    for one in listed if isinstance(listed, list) else ():
        name, where = (str(one.get(key) or "") for key in ("name", "repository")) if isinstance(one, dict) else ("", "")
        if not NAME.fullmatch(name):
            raise BadChart(f"{chart.name}: a dependency has no name that can be used")
        if where.startswith("file://"):
            place = (chart / where.removeprefix("file://")).resolve()
            if not place.is_relative_to(root.resolve()) or not (place / "Chart.yaml").is_file():
                raise BadChart(f"{chart.name}: its dependency {name} is not at {where}")
            yield name, place
        elif not _has(chart, name):
            raise BadChart(f"{chart.name}: its dependency {name} is missing: run `helm dependency build` there first")


def _has(chart: Path, name: str) -> bool:
    charts = chart / "charts"
    return (charts / name).is_dir() or any(charts.glob(f"{name}-*.tgz"))


def _described(chart: Path) -> dict[str, Any]:
    text = content_of(chart / "Chart.yaml", _LARGEST_TEXT)
    try:
        read = read_yaml(text)
    except ValueError as error:
        raise BadChart(f"{chart.name}/Chart.yaml is not YAML: {error}") from None
    return read if isinstance(read, dict) else {}
