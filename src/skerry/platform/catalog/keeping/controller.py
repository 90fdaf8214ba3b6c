"""Keeps archives: what a CatalogEntry's versions need comes out of upstream and into ConfigMaps, the rest goes.

Invariants: what is kept is what upstream's digest says, and a chart of that name and version; an archive goes before
the entry stops to name it, so that none is left behind; one that somebody deletes is fetched again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable, Sequence

from skerry.kube.controller import Controller
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, is_deleting, key_of, name_of, namespace_of, split_key
from skerry.kube.resources import NAMESPACES
from skerry.platform.base.capability import Context
from skerry.platform.base.status import Condition, write_status
from skerry.platform.catalog.charts.archive import Chart, read_chart
from skerry.platform.catalog.charts.facts import BadChart
from skerry.platform.catalog.keeping.archives import Archives
from skerry.platform.catalog.keeping.choosing import Choice, choose
from skerry.platform.catalog.keeping.indexes import BY_ARCHIVE, BY_CATALOG, BY_CHART, catalogs_of, charts_of
from skerry.platform.catalog.keeping.shelf import Shelf
from skerry.platform.catalog.keeping.there import There
from skerry.platform.catalog.keeping.uses import RELEASES, Uses
from skerry.platform.catalog.keeping.uses import charts_of as wanted_by
from skerry.platform.catalog.retrying import Retries
from skerry.platform.catalog.sources.all import source_of
from skerry.platform.catalog.sources.source import SourceFailed
from skerry.platform.catalog.types import CATALOG_ENTRIES, CATALOGS, CatalogEntrySpec, CatalogSpec, Version

_LONGEST = 300.0
"""Seconds for the archives of one chart, before others have their turn."""


class KeepingController(Controller):
    """One chart at a time."""

    name = "catalog archives"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context, self._client, self._clock = context, context.client, context.clock
        self._shelf = context.once(Shelf, Shelf)
        self._retries = Retries(context.clock)
        self._catalogs = context.informers.of(CATALOGS)
        self._entries = context.informers.of(CATALOG_ENTRIES)
        self._entries.add_index(BY_CATALOG, catalogs_of)
        self._entries.add_index(BY_CHART, charts_of)
        self._archives = Archives(context.client, self._entries)
        self._there = There(context.client, self._archive_gone)
        releases = context.informers.of(RELEASES)
        self._uses = Uses(releases, context.informers.metadata_of(NAMESPACES))
        self.watch(self._entries)
        self._catalogs.add_handler(self._catalog_changed)
        releases.add_handler(self._release_changed)

    def start(self) -> None:
        """Start the workers, and follow the archives."""
        self._there.start()
        super().start()

    async def close(self) -> None:
        """Stop."""
        await super().close()
        await self._there.close()

    async def reconcile(self, key: str) -> float | None:
        """Bring the archives of one chart about."""
        namespace, name = split_key(key)
        entry = self._entries.get(name, namespace)
        catalog = self._catalogs.get(entry["spec"]["catalog"], namespace) if entry is not None else None
        if entry is None or catalog is None or is_deleting(entry) or is_deleting(catalog):
            self._retries.forget(key)
            return None
        spec, there = CatalogSpec.of(catalog["spec"]), await self._without_what_is_gone(entry)
        used = self._uses.of(namespace, name_of(catalog), there.name)
        choice = choose(spec, there.name, there.versions, used)
        missing = [one for one in there.versions if one.version in choice.keep and one.url and not one.archive]
        about = (catalog["metadata"].get("generation"), tuple((one.version, one.digest, one.url) for one in missing))
        wait = self._retries.wait(key, about) if missing else 0.0
        kept, failures = ({}, ()) if wait else await self._fetch(catalog, entry, missing)
        await self._write(entry, there, choice, kept)
        if wait:
            return wait
        return await self._told(key, entry, failures, about)

    async def _without_what_is_gone(self, entry: Obj) -> CatalogEntrySpec:
        """The entry, as if it did not name archives that somebody deleted: they are fetched again, where upstream has
        them still."""
        spec = CatalogEntrySpec.of(entry["spec"])
        gone = await self._there.missing({one.archive for one in spec.versions if one.archive}, namespace_of(entry))
        versions = [one.model_copy(update={"archive": ""}) if one.archive in gone else one for one in spec.versions]
        return spec.model_copy(update={"versions": versions})

    async def _fetch(
        self, catalog: Obj, entry: Obj, missing: Sequence[Version]
    ) -> tuple[dict[str, Version], Sequence[str]]:
        """What could be kept, by version, and why others could not."""
        kept, failures = {}, []
        end = asyncio.get_running_loop().time() + _LONGEST
        for one in missing:
            if asyncio.get_running_loop().time() > end:
                failures.append(f"{one.version}: its turn comes later, upstream is slow")
                continue
            try:
                chart = await self._chart(catalog, entry["spec"]["name"], one)
            except (SourceFailed, BadChart) as failed:
                failures.append(f"{one.version}: {failed}")
                continue
            archive = await self._archives.keep(chart, entry)
            kept[one.version] = one.model_copy(
                update={"archive": archive, "digest": chart.digest, "app_version": chart.facts.app_version}
            )
        return kept, failures

    async def _chart(self, catalog: Obj, name: str, version: Version) -> Chart:
        """Raises SourceFailed, BadChart."""
        archive = self._shelf.take(version.digest) if version.digest else None
        if archive is None:
            source = await source_of(self._context, catalog, CatalogSpec.of(catalog["spec"]))
            archive = await source.archive(name, version.version, version.url)
        chart = await asyncio.to_thread(read_chart, archive)
        if (chart.facts.name, chart.facts.version) != (name, version.version):
            raise BadChart(f"upstream gave {chart.facts.name} {chart.facts.version} for it")
        if version.digest and chart.digest != version.digest:
            raise BadChart(f"upstream gave other bytes than its digest says: {chart.digest}, not {version.digest}")
        return chart

    async def _write(self, entry: Obj, there: CatalogEntrySpec, choice: Choice, kept: dict[str, Version]) -> None:
        versions = []
        for one in there.versions:
            now = kept.get(one.version, one).model_copy(update={"pinned": one.version in choice.pinned})
            if now.archive and now.version not in choice.keep:
                await self._archives.drop(now.archive, entry)
                now = now.model_copy(update={"archive": ""})
            versions.append(now)
        if versions != CatalogEntrySpec.of(entry["spec"]).versions:
            # what nobody keeps and upstream has not is nowhere
            left = [one for one in versions if one.archive or one.url]
            wanted = there.model_copy(update={"versions": left}).dump()
            if left:
                await self._client.update(CATALOG_ENTRIES, {**entry, "spec": wanted})
            else:
                await self._client.delete(CATALOG_ENTRIES, name_of(entry), namespace_of(entry))

    async def _told(self, key: str, entry: Obj, failures: Sequence[str], about: Hashable) -> float | None:
        """The condition `Kept` of the entry. When the entry was written just now, the next round tells it."""
        current = self._entries.get(name_of(entry), namespace_of(entry))
        if failures:
            told = Condition("Kept", False, "NotFetched", "; ".join(failures)[:2000])
        else:
            told = Condition("Kept", True, "Kept", "what is wanted of it is kept")
            self._retries.forget(key)
        if current is not None and (failures or current is entry):
            await write_status(self._client, self._clock, CATALOG_ENTRIES, current, (told,))
        return self._retries.failed(key, about) if failures else None

    def _archive_gone(self, archive: Obj) -> None:
        self._look_at(self._entries.by_index(BY_ARCHIVE, key_of(archive)))

    def _catalog_changed(self, delta: Delta) -> None:
        if delta.old is not None and delta.new is not None and delta.old["spec"] == delta.new["spec"]:
            return
        self._look_at(self._entries.by_index(BY_CATALOG, key_of(delta.object)))

    def _release_changed(self, delta: Delta) -> None:
        for state in (delta.old, delta.new):
            for chart in wanted_by(state) if state is not None else ():
                self._look_at(self._entries.by_index(BY_CHART, chart))

    def _look_at(self, entries: Iterable[Obj]) -> None:
        for one in entries:
            self.queue.add(key_of(one))
