"""Reads upstreams and writes down what they have: a Catalog in, its CatalogEntries and its status out.

What is kept of upstream is `keeping`'s business. An upstream that does not answer changes nothing but the condition.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta

from skerry.kube.clock import parse_time, rfc3339
from skerry.kube.conditions import condition_is_true
from skerry.kube.controller import Controller
from skerry.kube.errors import Conflict, NotFound
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, annotations_of, is_deleting, key_of, name_of, namespace_of, split_key
from skerry.kube.records import record
from skerry.kube.tasks import together
from skerry.platform.base.capability import Context
from skerry.platform.base.status import Condition, write_status
from skerry.platform.catalog.charts.facts import NAME
from skerry.platform.catalog.keeping.archives import Archives
from skerry.platform.catalog.keeping.indexes import BY_CATALOG, catalogs_of, entry_name, entry_object
from skerry.platform.catalog.keeping.merging import Merged, merge
from skerry.platform.catalog.keeping.shelf import Shelf
from skerry.platform.catalog.retrying import Retries
from skerry.platform.catalog.sources.all import source_of
from skerry.platform.catalog.sources.source import Listing, Offered, Source, SourceFailed
from skerry.platform.catalog.types import CATALOG_ENTRIES, CATALOGS, REFRESH, CatalogEntrySpec, CatalogSpec

_MOST_CHARTS = 2000
_AT_ONCE = 8
_TRIES = 3
_SHOWN = 3
_LONGEST = 600.0
"""Seconds for one catalogue: there are few workers, and an upstream may be as slow as it likes."""


@record
class _Written:
    """Of one chart."""

    versions: int = 0
    changed: Sequence[str] = ()


class RefreshController(Controller):
    """One catalogue at a time, several beside each other."""

    name = "catalogs"
    workers = 3

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context, self._client, self._clock = context, context.client, context.clock
        self._retries = Retries(context.clock)
        self._shelf = context.once(Shelf, Shelf)
        self._catalogs = context.informers.of(CATALOGS)
        self._entries = context.informers.of(CATALOG_ENTRIES)
        self._entries.add_index(BY_CATALOG, catalogs_of)
        self._archives = Archives(context.client, self._entries)
        self._incomplete: set[str] = set()
        self._begun: set[str] = set()
        """What was read since we were started: directories change with what is installed, which starts us anew."""
        self.watch(self._catalogs)
        self.watch(self._entries, catalogs_of)
        self._entries.add_handler(self._entry_changed)

    async def reconcile(self, key: str) -> float | None:
        """Refresh one if it is time to. Returns seconds until it is."""
        namespace, name = split_key(key)
        catalog = self._catalogs.get(name, namespace)
        if catalog is None or is_deleting(catalog):
            self._retries.forget(key)
            return None
        spec = CatalogSpec.of(catalog["spec"])
        if spec.suspended:
            await self._tell(catalog, Condition("Ready", True, "Suspended", "it is not refreshed"))
            return None
        if spec.type == "Hosted":
            await self._tell(catalog, Condition("Ready", True, "Hosted", "charts are pushed here"))
            return None
        about = (catalog["metadata"].get("generation"), annotations_of(catalog).get(REFRESH, ""))
        wait = max(self._retries.wait(key, about), self._seconds_left(catalog, spec))
        return wait or await self._refresh(catalog, spec, about)

    def _seconds_left(self, catalog: Obj, spec: CatalogSpec) -> float:
        """Until what was read well is read again."""
        status = catalog.get("status") or {}
        asked = annotations_of(catalog).get(REFRESH, "")
        is_current = (
            status.get("refreshed")
            and status.get("observedGeneration") == catalog["metadata"].get("generation")
            and status.get("asked", "") == asked
            and condition_is_true(catalog, "Ready")
            and key_of(catalog) not in self._incomplete
            and (spec.type != "Directory" or key_of(catalog) in self._begun)
        )
        if not is_current:
            return 0.0
        due = parse_time(status["refreshed"]) + timedelta(minutes=spec.refresh_minutes)
        return max(0.0, (due - self._clock.now()).total_seconds())

    async def _refresh(self, catalog: Obj, spec: CatalogSpec, about: tuple[object, ...]) -> float:
        key, known = key_of(catalog), self._known(catalog)
        self._incomplete.discard(key)
        self._begun.add(key)
        try:
            source, listing = await self._read_in_time(catalog, spec, known)
        except SourceFailed as failed:
            await self._tell(catalog, Condition("Ready", False, failed.reason, str(failed)))
            return self._retries.failed(key, about)
        self._retries.forget(key)
        revision = (catalog.get("status") or {}).get("revision", "")
        ready = Condition("Ready", True, "Refreshed", "nothing has changed upstream")
        if listing is not None:
            self._shelf.put(listing.archives)
            written = await self._write(catalog, spec, source, listing)
            ready, revision = _told(listing, written), listing.revision
        asked = annotations_of(catalog).get(REFRESH, "")
        await self._tell(catalog, ready, refreshed=rfc3339(self._clock.now()), revision=revision, asked=asked)
        return spec.refresh_minutes * 60.0

    async def _read_in_time(self, catalog: Obj, spec: CatalogSpec, known: str) -> tuple[Source, Listing | None]:
        """Raises SourceFailed."""
        try:
            async with asyncio.timeout(_LONGEST):
                return await self._read(catalog, spec, known)
        except TimeoutError:
            raise SourceFailed(
                "NoAnswer", f"upstream takes longer than {_LONGEST:g} seconds: name fewer charts in spec.charts"
            ) from None

    async def _read(self, catalog: Obj, spec: CatalogSpec, known: str) -> tuple[Source, Listing | None]:
        """Raises SourceFailed."""
        if not NAME.fullmatch(name_of(catalog)):
            raise SourceFailed("BadName", "a catalogue's name has no dots: make it under another one")
        source = await source_of(self._context, catalog, spec)
        listing = await source.read(known)
        if listing is not None and len(listing.charts) > _MOST_CHARTS:
            raise SourceFailed(
                "TooLarge", f"there are {len(listing.charts)} charts upstream: name up to {_MOST_CHARTS} in spec.charts"
            )
        return source, listing

    def _known(self, catalog: Obj) -> str:
        """The revision that the entries there are of; "" when they have to be written again."""
        status = catalog.get("status") or {}
        is_whole = (
            status.get("observedGeneration") == catalog["metadata"].get("generation")
            and status.get("charts", 0) == len(self._entries.by_index(BY_CATALOG, key_of(catalog)))
            and condition_is_true(catalog, "Ready")
            and key_of(catalog) not in self._incomplete
        )
        return str(status.get("revision", "")) if is_whole else ""

    async def _write(self, catalog: Obj, spec: CatalogSpec, source: Source, listing: Listing) -> list[_Written]:
        wanted = {name: offered for name, offered in listing.charts.items() if not spec.charts or name in spec.charts}
        there = {one["spec"]["name"] for one in self._entries.by_index(BY_CATALOG, key_of(catalog))}
        names, written = sorted({*wanted, *there}), []
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            written += await together(*(self._bring(catalog, one, wanted.get(one, ()), source) for one in some))
        return written

    async def _bring(self, catalog: Obj, chart: str, offered: Sequence[Offered], source: Source) -> _Written:
        """One entry; what others write into it at the same time (`keeping`) stays."""
        name, namespace = entry_name(name_of(catalog), chart), namespace_of(catalog)
        entry = self._entries.get(name, namespace)
        for attempt in range(_TRIES):
            try:
                return await self._put(catalog, entry, offered, source)
            except Conflict:
                if attempt == _TRIES - 1:
                    raise
            entry = await self._now(name, namespace)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _put(self, catalog: Obj, entry: Obj | None, offered: Sequence[Offered], source: Source) -> _Written:
        old = CatalogEntrySpec.of(entry["spec"]) if entry is not None else None
        merged = merge(name_of(catalog), old, offered, is_ours=source.is_ours)
        if entry is not None and old is not None:
            await self._drop(entry, _lost(old, merged))
        if merged.spec is None:
            if entry is not None:
                await self._delete(entry)
            return _Written()
        wanted = merged.spec.dump()
        if entry is None:
            await self._client.create(CATALOG_ENTRIES, entry_object(catalog, wanted), namespace_of(catalog))
        elif wanted != (old.dump() if old is not None else None):
            await self._client.update(CATALOG_ENTRIES, {**entry, "spec": wanted})
        return _Written(len(merged.spec.versions), [f"{merged.spec.name} {one}" for one in merged.changed])

    async def _delete(self, entry: Obj) -> None:
        """As it was looked at: meanwhile `keeping` may have noted an archive, and then it stays. Raises Conflict."""
        seen = {name: entry["metadata"][name] for name in ("uid", "resourceVersion")}
        with suppress(NotFound):
            await self._client.delete(
                CATALOG_ENTRIES, name_of(entry), namespace_of(entry), options={"preconditions": seen}
            )

    async def _drop(self, entry: Obj, archives: Iterable[str]) -> None:
        for one in archives:
            await self._archives.drop(one, entry)

    async def _now(self, name: str, namespace: str) -> Obj | None:
        try:
            return await self._client.get(CATALOG_ENTRIES, name, namespace)
        except NotFound:
            return None

    def _entry_changed(self, delta: Delta) -> None:
        """One that somebody deleted comes back, if upstream has it."""
        if delta.new is None:
            self._incomplete.update(catalogs_of(delta.object))

    async def _tell(self, catalog: Obj, ready: Condition, **fields: str) -> None:
        entries = await self._entries_now(catalog, is_fresh=bool(fields))
        charts, versions = len(entries), sum(len(one["spec"].get("versions") or ()) for one in entries)
        await write_status(
            self._client, self._clock, CATALOGS, catalog, (ready,), charts=charts, versions=versions, **fields
        )

    async def _entries_now(self, catalog: Obj, *, is_fresh: bool) -> Sequence[Obj]:
        """The cache may be behind what was just written."""
        if not is_fresh:
            return self._entries.by_index(BY_CATALOG, key_of(catalog))
        listed = (await self._client.list(CATALOG_ENTRIES, namespace_of(catalog))).items
        return [one for one in listed if one["spec"]["catalog"] == name_of(catalog)]


def _lost(old: CatalogEntrySpec, merged: Merged) -> set[str]:
    """Archives that the entry will not name any more."""
    kept = {one.archive for one in merged.spec.versions} if merged.spec is not None else set()
    return {one.archive for one in old.versions if one.archive} - kept


def _told(listing: Listing, written: Iterable[_Written]) -> Condition:
    changed = [one for part in written for one in part.changed]
    said = [f"{len(listing.charts)} charts"]
    if listing.skipped:
        said.append(f"{len(listing.skipped)} cannot be used: {'; '.join(listing.skipped[:_SHOWN])}")
    if changed:
        said.append(f"upstream offers other bytes under versions that are kept: {', '.join(changed[:_SHOWN])}")
    return Condition("Ready", True, "Refreshed", ". ".join(said))
