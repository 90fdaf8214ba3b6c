"""Reads the archive of a chart that came from anywhere: within bounds, and nothing is written to a disk.

Refused by text: what is too large packed or unpacked, paths that lead out of the chart, links and devices, sparse
files (a few bytes that unpack to terabytes), more than one chart. Source: helm.sh, "Charts" (file structure).
"""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from skerry.kube.records import record
from skerry.platform.catalog.charts.facts import BadChart, Facts, facts_of
from skerry.platform.catalog.charts.foreign_yaml import read_yaml
from skerry.platform.catalog.types import FILES, LARGEST_ARCHIVE

LARGEST_UNPACKED = 20 << 20  # bytes
_LARGEST_TEXT = 1 << 20  # bytes
_MOST_FILES = 5000
_FILES_BYTES = 100 * 1024
"""Of the files beside an archive: with it they have to fit into one object of the API."""
_LARGEST_ICON = 32 * 1024
_ICON = "icon.svg"


@record
class Chart:
    """One that can be installed."""

    facts: Facts
    archive: bytes
    digest: str
    """sha256 of the archive, hexadecimal."""
    files: Mapping[str, str]
    """Those of `FILES` that it has, as far as they fit beside it."""


def read_chart(archive: bytes) -> Chart:
    """Raises BadChart. Takes a moment: not for the event loop."""
    if len(archive) > LARGEST_ARCHIVE:
        raise BadChart(f"the archive has {len(archive)} bytes, and {LARGEST_ARCHIVE} fit into an object of the API")
    files = _files_in(_unpacked(archive))
    if "Chart.yaml" not in files:
        raise BadChart("there is no Chart.yaml in the archive")
    document = _yaml(files["Chart.yaml"])
    facts = facts_of({**document, "icon": document.get("icon") or _icon(files)})
    return Chart(facts, archive, hashlib.sha256(archive).hexdigest(), _beside(files))


def _unpacked(archive: bytes) -> bytes:
    """Raises BadChart. Never holds more than the limit, whatever the archive claims."""
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        data = unpacking.decompress(archive, LARGEST_UNPACKED + 1)
    except zlib.error as error:
        raise BadChart(f"the archive is no gzip: {error}") from None
    if len(data) > LARGEST_UNPACKED:
        raise BadChart(f"the archive unpacks to more than {LARGEST_UNPACKED >> 20} MiB")
    if not unpacking.eof:
        raise BadChart("the archive is cut off")
    if unpacking.unused_data:
        raise BadChart("something follows the archive, which Helm would read and we have not looked at")
    return data


def _files_in(data: bytes) -> Mapping[str, bytes]:
    """The files at the chart's own top, by name. Raises BadChart."""
    found: dict[str, bytes] = {}
    tops, count = set(), 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as packed:
            for member in packed:
                count += 1
                path = _path_of(member, count)
                tops.add(path.parts[0])
                if member.isreg() and len(path.parts) == 2:
                    reader = packed.extractfile(member)
                    found[path.parts[1]] = reader.read() if reader else b""
    except (tarfile.TarError, ValueError, EOFError, OverflowError, RecursionError) as error:
        raise BadChart(f"the archive is no tar: {error}") from None
    if len(tops) != 1:
        raise BadChart("an archive has one folder at its top, which is the chart")
    return found


def _path_of(member: tarfile.TarInfo, count: int) -> PurePosixPath:
    """Raises BadChart for what no chart needs."""
    name = member.name
    if count > _MOST_FILES:
        raise BadChart(f"the archive has more than {_MOST_FILES} files")
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise BadChart(f"{name!r} in the archive is neither a file nor a folder: links and devices are refused")
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\\" in name or "\0" in name or ":" in name:
        raise BadChart(f"{name!r} in the archive leads out of the chart")
    if not 0 <= member.size <= LARGEST_UNPACKED:
        raise BadChart(f"{name!r} in the archive is too large")
    return path


def _yaml(text: bytes) -> dict[str, Any]:
    if len(text) > _LARGEST_TEXT:
        raise BadChart(f"Chart.yaml has more than {_LARGEST_TEXT} bytes")
    try:
        read = read_yaml(text)
    except ValueError as error:
        raise BadChart(f"Chart.yaml is not YAML: {error}") from None
    if not isinstance(read, dict):
        raise BadChart("Chart.yaml is empty")
    return read


def _icon(files: Mapping[str, bytes]) -> str:
    """A picture that lies beside Chart.yaml, as something to show."""
    picture = files.get(_ICON, b"")
    if not picture or len(picture) > _LARGEST_ICON:
        return ""
    return f"data:image/svg+xml;base64,{base64.b64encode(picture).decode()}"


def _beside(files: Mapping[str, bytes]) -> Mapping[str, str]:
    kept, room = {}, _FILES_BYTES
    for name in sorted(FILES, key=lambda one: len(files.get(one, b""))):
        content = files.get(name)
        if content is not None and len(content) <= room:
            kept[name] = content.decode("utf-8", "replace")
            room -= len(kept[name].encode())
    return kept
