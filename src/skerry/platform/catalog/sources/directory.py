"""Charts in a directory of the platform's machine: each folder with a Chart.yaml, and packed archives."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from skerry.platform.catalog.charts.archive import Chart, read_chart
from skerry.platform.catalog.charts.facts import BadChart
from skerry.platform.catalog.charts.packing import pack
from skerry.platform.catalog.settings import Allowed
from skerry.platform.catalog.sources.source import Listing, Offered, SourceFailed
from skerry.platform.catalog.types import LARGEST_ARCHIVE

_MOST = 1000
_MOST_HELD = 16 << 20  # bytes


class Directory:
    """One. It is read anew each time: who edits a chart there sees it after the next refresh."""

    is_ours = True

    def __init__(self, path: Path, allowed: Allowed) -> None:
        self._path, self._allowed = path, allowed

    async def read(self, known: str) -> Listing | None:
        """As `Source` has it."""
        listing = await asyncio.to_thread(self._read)
        return None if listing.revision == known else listing

    async def archive(self, chart: str, version: str, url: str) -> bytes:
        """As `Source` has it."""
        await asyncio.to_thread(self._check)
        return await asyncio.to_thread(archive_at, self._path, chart, version, url)

    def _read(self) -> Listing:
        self._check()
        try:
            return listing_of(self._path)
        except OSError as error:
            raise SourceFailed("Unreadable", f"{self._path}: {error.strerror}") from None

    def _check(self) -> None:
        if not self._path.is_absolute() or not self._allowed.has_directory(self._path):
            raise SourceFailed(
                "NotAllowed",
                f"an operator has to allow {self._path}: a line in `directories` of ConfigMap catalog in skerry-system",
            )
        if not self._path.is_dir():
            raise SourceFailed("NotFound", f"there is no directory {self._path} on the platform's machine")


def archive_at(root: Path, chart: str, version: str, where: str) -> bytes:
    """Of the version that a listing said is `where`. Raises SourceFailed."""
    path = root / where
    try:
        if not path.resolve().is_relative_to(root.resolve()):
            raise BadChart(f"{where} leads out of the directory")
        found = _chart_at(path, root)
    except (BadChart, OSError) as error:
        raise SourceFailed("NotFound", f"{chart} {version} is not there any more: {error}") from None
    if (found.facts.name, found.facts.version) != (chart, version):
        raise SourceFailed("NotFound", f"{chart} {version} is not there any more: now it is {found.facts.version}")
    return found.archive


def listing_of(root: Path, revision: str = "") -> Listing:
    """All charts in a folder. `revision`: else a digest of them. Raises OSError."""
    charts: dict[str, list[Offered]] = {}
    digests, held, skipped = [], _Held(), []
    for path in _candidates(root):
        try:
            chart = _chart_at(path, root)
        except BadChart as bad:
            skipped.append(str(bad))
            continue
        if chart.facts.is_library:
            continue
        charts.setdefault(chart.facts.name, []).append(Offered(chart.facts, str(path.relative_to(root)), chart.digest))
        digests.append(chart.digest)
        held.add(chart)
    whole = hashlib.sha256("\n".join([*sorted(digests), *skipped]).encode()).hexdigest()
    return Listing(revision or whole, charts, skipped, held.archives)


class _Held:
    """Archives that need not be made twice, as far as there is room for them."""

    def __init__(self) -> None:
        self.archives: dict[str, bytes] = {}
        self._left = _MOST_HELD

    def add(self, chart: Chart) -> None:
        if len(chart.archive) <= self._left:
            self.archives[chart.digest] = chart.archive
            self._left -= len(chart.archive)


def _candidates(folder: Path) -> Iterator[Path]:
    """The folder itself when it is a chart; else what is in it, archives included."""
    if (folder / "Chart.yaml").exists():
        yield folder
        return
    for entry in sorted(os.scandir(folder), key=lambda one: one.name)[:_MOST]:
        path = Path(entry.path)
        is_chart = entry.is_dir(follow_symlinks=False) and (path / "Chart.yaml").exists()
        if is_chart or (entry.is_file(follow_symlinks=False) and path.suffix == ".tgz"):
            yield path


def _chart_at(path: Path, root: Path) -> Chart:
    if path.is_dir():
        return read_chart(pack(path, root))
    if path.stat().st_size > LARGEST_ARCHIVE:
        raise BadChart(f"{path.name} has more than {LARGEST_ARCHIVE} bytes")
    return read_chart(path.read_bytes())
