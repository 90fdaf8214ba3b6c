"""Which chart a release means: an entry of a catalogue that its namespace may use, a version, its archive.

Catalogues of the namespace come first, then those of other namespaces of its project, then everybody's. What has no
archive yet is waited for: the catalogue keeps what releases refer to. Archives are read with the project's rights and
checked against the entry's digest. Neighbour: `base.chart_versions` (ranges).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from skerry.kube.client import Client
from skerry.kube.errors import NotFound
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, name_of, namespace_of
from skerry.kube.records import record
from skerry.kube.resources import CONFIG_MAPS
from skerry.platform.base.chart_versions import BadRange, best_version, newest_first
from skerry.platform.base.kinds import resource_of
from skerry.platform.base.upstreams import CHART_KEY, FILES_KEY, Files
from skerry.platform.releases.problems import Unready
from skerry.platform.releases.types import ChartRef

CATALOG_ENTRIES = resource_of("catalogentries", "CatalogEntry", namespaced=True)
GLOBAL_NAMESPACE = "skerry-catalogs"
"""Catalogues here are everybody's."""
BY_CHART = "by chart"
_KEPT = 32
"""Archives kept on disk for the next release of the same chart."""


@record
class Chart:
    """One version of a chart that can be had."""

    name: str
    version: str
    namespace: str
    """Where its archive is."""
    archive: str
    """The ConfigMap that has it."""
    digest: str


def chart_names(entry: Obj) -> Sequence[str]:
    """For the index of entries."""
    return [str(entry["spec"].get("name", ""))]


def chosen(wanted: ChartRef, entries: Iterable[Obj], namespaces: Sequence[str]) -> Chart:
    """The chart that is meant, of entries of that name; `namespaces` in the order in which they count. Pure.
    Raises Unready."""
    there = [one for one in entries if namespace_of(one) in namespaces and _is_of(one, wanted.catalog)]
    if not there:
        raise Unready("ChartMissing", _missing(wanted))
    entry = min(there, key=lambda one: (namespaces.index(namespace_of(one)), name_of(one)))
    versions = {str(one["version"]): one for one in entry["spec"].get("versions") or ()}
    try:
        version = best_version(wanted.version, versions)
    except BadRange as error:
        raise Unready("VersionMissing", f"spec.chart.version: {error}") from None
    if version is None:
        has = ", ".join(newest_first(versions)[:5]) or "none"
        raise Unready("VersionMissing", f"chart {wanted.name} has no version {wanted.version or 'yet'}; it has: {has}")
    found = versions[version]
    if not found.get("archive"):
        raise Unready("ChartPending", f"chart {wanted.name} {version} is being fetched by its catalogue")
    return Chart(str(wanted.name), version, namespace_of(entry), str(found["archive"]), str(found.get("digest") or ""))


def _is_of(entry: Obj, catalog: str | None) -> bool:
    return catalog is None or entry["spec"].get("catalog") == catalog


def _missing(wanted: ChartRef) -> str:
    place = f"catalogue {wanted.catalog}" if wanted.catalog else "the catalogues of this project and everybody's"
    return f"there is no chart {wanted.name} in {place}: `skerry charts search {wanted.name}` shows what there is"


class Charts:
    """Finds charts and puts archives where Helm can read them."""

    def __init__(self, entries: Informer) -> None:
        self._entries = entries
        entries.add_index(BY_CHART, chart_names)
        self._there: OrderedDict[str, Path] = OrderedDict()

    def find(self, wanted: ChartRef, namespaces: Sequence[str]) -> Chart:
        """The chart that is meant. Raises Unready."""
        entries = self._entries.by_index(BY_CHART, str(wanted.name))
        return chosen(wanted, entries, [*namespaces, GLOBAL_NAMESPACE])

    async def files(self, chart: Chart, client: Client) -> Files:
        """What was fetched for it, of a release of an overlay or of manifests. Raises as `file`."""
        return Files.of(await _read(chart, client, FILES_KEY))

    async def file(self, chart: Chart, client: Client, directory: Path) -> Path:
        """Its archive. `client`: with the rights of whoever wants it. Raises Unready, StatusError, OSError."""
        key = chart.digest or f"{chart.namespace}.{chart.archive}"
        if (known := self._known(key)) is not None:
            return known
        archive = await _read(chart, client, CHART_KEY)
        if (known := self._known(key)) is not None:  # somebody was faster, and a Helm may be reading it
            return known
        path = directory / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.tgz"
        await asyncio.to_thread(_write, path, archive)
        self._there[key] = path
        self._forget_oldest()
        return path

    def _known(self, key: str) -> Path | None:
        known = self._there.get(key)
        if known is None or not known.exists():
            return None
        self._there.move_to_end(key)
        return known

    def _forget_oldest(self) -> None:
        while len(self._there) > _KEPT:
            _, oldest = self._there.popitem(last=False)
            oldest.unlink(missing_ok=True)


def _write(path: Path, archive: bytes) -> None:
    """At once: whoever has opened what was there reads that to its end."""
    with NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(archive)
    Path(file.name).replace(path)


async def _read(chart: Chart, client: Client, key: str) -> bytes:
    try:
        found = await client.get(CONFIG_MAPS, chart.archive, chart.namespace)
        archive = base64.b64decode((found.get("binaryData") or {}).get(key, ""), validate=True)
    except NotFound:
        raise Unready("ChartPending", f"chart {chart.name} {chart.version} is being fetched", again=10.0) from None
    except binascii.Error:
        archive = b""
    if chart.digest and hashlib.sha256(archive).hexdigest() != chart.digest:
        raise Unready("ChartDamaged", f"the archive of {chart.name} {chart.version} is not what was fetched for it")
    return archive
