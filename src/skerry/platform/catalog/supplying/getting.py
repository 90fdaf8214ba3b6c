"""Fetches what a Release takes from upstream, by what catalogues are read with: the same bounds, the same reach.

Projects write Releases, so every address is judged, in every namespace. Neighbours: `sources` (how upstreams are
read), `charts` (what is refused of an archive), `files` (manifests and overlays).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from skerry.kube.client import Client
from skerry.kube.records import record
from skerry.platform.base.chart_versions import BadRange, best_version, newest_first
from skerry.platform.base.upstreams import CHART_KEY, FILES_KEY, Files, Upstream
from skerry.platform.catalog.charts.archive import read_chart
from skerry.platform.catalog.charts.facts import BadChart
from skerry.platform.catalog.charts.packing import pack
from skerry.platform.catalog.settings import allowed
from skerry.platform.catalog.sources.addresses import parsed
from skerry.platform.catalog.sources.all import fetcher_of, secret_of
from skerry.platform.catalog.sources.fetching import LOCAL, Fetcher, Question, basic
from skerry.platform.catalog.sources.git import Git
from skerry.platform.catalog.sources.reaching import Reach
from skerry.platform.catalog.sources.registry import Door, door_of
from skerry.platform.catalog.sources.source import SourceFailed
from skerry.platform.catalog.supplying.files import manifests_in, overlay_in
from skerry.platform.catalog.types import LARGEST_ARCHIVE, CatalogSpec

_SHOWN = 5


@record
class Got:
    """What upstream has. `key`: under which it is kept."""

    revision: str
    content: bytes
    key: str
    name: str = ""
    """Of a chart; its version is the next."""
    version: str = ""
    beside: Mapping[str, str] = field(default_factory=dict)
    """What people and programs read of a chart."""

    @property
    def digest(self) -> str:
        """sha256 of the content, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


async def get(client: Client, namespace: str, upstream: Upstream, known: str) -> Got | None:
    """None when upstream is still at revision `known`. Raises SourceFailed, StatusError, OSError."""
    settings = await allowed(client)
    reach = Reach(is_anywhere=False, networks=settings.networks)
    secret = await secret_of(client, upstream.secret, namespace)
    try:
        if upstream.is_git:
            spec = CatalogSpec.of({"type": "Git", "url": upstream.url, "ref": upstream.ref, "path": upstream.path})
            commit = known.rpartition("sha1:")[2]
            return await Git(spec, reach, settings, secret).look(commit, lambda *there: _from_git(upstream, *there))
        if upstream.url.startswith("oci://"):
            return await _from_registry(upstream, fetcher_of(reach, secret), known)
        return await _from_web(upstream, fetcher_of(reach, secret), known)
    except BadChart as bad:
        raise SourceFailed("SourceRefused" if upstream.content != "Chart" else "ChartRefused", str(bad)) from None
    except BadRange as error:
        raise SourceFailed("VersionMissing", f"spec.chart.version: {error}") from None


def _from_git(upstream: Upstream, root: Path, folder: Path, commit: str) -> Got:
    """In a thread. Raises BadChart, OSError."""
    revision = f"sha1:{commit}" if upstream.is_fixed else f"{upstream.ref or 'HEAD'}@sha1:{commit}"
    if upstream.content == "Chart":
        if not (folder / "Chart.yaml").is_file():
            raise BadChart(f"there is no Chart.yaml in {upstream.path or 'the root of the repository'}")
        return _chart(revision, pack(folder, root))
    files = overlay_in(root, folder) if upstream.content == "Kustomize" else manifests_in(folder)
    return _files(revision, files)


async def _from_registry(upstream: Upstream, fetcher: Fetcher, known: str) -> Got | None:
    """By the digest of the manifest where one is said, as `helm push` prints it."""
    door = door_of(fetcher, upstream.url)
    tag = "" if upstream.digest else await _tag(door, upstream)
    manifest = await door.manifest(f"sha256:{upstream.digest}" if upstream.digest else tag)
    revision = f"{tag}@{manifest.digest}".removeprefix("@")
    if revision == known:
        return None
    return await _checked(upstream, revision, await door.archive(manifest))


async def _tag(door: Door, upstream: Upstream) -> str:
    """The newest that the version means. Raises SourceFailed, BadRange."""
    tags = {tag.replace("_", "+"): tag for tag in await door.tags()}
    version = best_version(upstream.version, tags)
    if version is None:
        has = ", ".join(newest_first(tags)[:_SHOWN]) or "none"
        raise SourceFailed(
            "VersionMissing", f"{upstream.url} has no version {upstream.version or 'yet'}; it has: {has}"
        )
    return tags[version]


async def _from_web(upstream: Upstream, fetcher: Fetcher, known: str) -> Got | None:
    parts = parsed(upstream.url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL):
        raise SourceFailed("BadAddress", f"{upstream.url[:200]!r}: a chart is at https://... or oci://...")
    login = basic(fetcher.login, upstream.url)
    archive = await fetcher.get(Question(upstream.url, LARGEST_ARCHIVE, login))
    digest = hashlib.sha256(archive).hexdigest()
    if upstream.digest not in ("", digest):
        raise SourceFailed("DigestMismatch", f"{upstream.url} has sha256:{digest}, not what spec.chart.digest says")
    revision = f"sha256:{digest}"
    return await _checked(upstream, revision, archive) if revision != known else None


async def _checked(upstream: Upstream, revision: str, archive: bytes) -> Got:
    """Of the version that is wanted. Raises SourceFailed, BadChart, BadRange."""
    got = await asyncio.to_thread(_chart, revision, archive)
    if upstream.version and best_version(upstream.version, [got.version]) is None:
        raise SourceFailed("VersionMissing", f"{upstream.url} is {got.name} {got.version}, not {upstream.version}")
    return got


def _chart(revision: str, archive: bytes) -> Got:
    """Raises BadChart."""
    chart = read_chart(archive)
    if chart.facts.is_library:
        raise BadChart(f"{chart.facts.name} is a library for other charts: there is nothing to install")
    return Got(revision, archive, CHART_KEY, chart.facts.name, chart.facts.version, chart.files)


def _files(revision: str, files: Files) -> Got:
    """Raises BadChart."""
    packed = files.packed()
    if len(packed) > LARGEST_ARCHIVE:
        raise BadChart(f"it has {len(packed)} bytes packed, and {LARGEST_ARCHIVE} fit into an object of the API")
    return Got(revision, packed, FILES_KEY)
