"""Catalogues that charts are pushed to. Their entries and archives are all there is of them.

Invariants: a version is there with its archive or not at all; it does not change, unless `spec.overwrite` says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.clock import Clock
from skerry.kube.errors import AlreadyExists, BadRequest, Conflict, Forbidden, NotFound
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, name_of, namespace_of
from skerry.platform.base.capability import Context
from skerry.platform.base.chart_versions import leading_version, newest_first
from skerry.platform.catalog.charts.archive import Chart
from skerry.platform.catalog.keeping.archives import Archives, name_for
from skerry.platform.catalog.keeping.indexes import entry_name, entry_object
from skerry.platform.catalog.keeping.merging import describe
from skerry.platform.catalog.types import CATALOG_ENTRIES, CATALOGS, CatalogEntrySpec, CatalogSpec, Version

_TRIES = 10
_MOST_VERSIONS = 500
"""Of one chart: its entry is one object of the API."""


class Hosting:
    """Reads entries, and writes those of hosted catalogues. Straight from the API: who pushed sees it at once."""

    def __init__(self, context: Context, entries: Informer) -> None:
        self._client = context.client
        self._clock: Clock = context.clock
        self._archives = Archives(context.client, entries)

    async def catalog(self, namespace: str, name: str) -> Obj:
        """Raises NotFound."""
        return await self._client.get(CATALOGS, name, namespace)

    async def entries(self, namespace: str, catalog: str) -> list[CatalogEntrySpec]:
        """All of a catalogue."""
        listed = (await self._client.list(CATALOG_ENTRIES, namespace)).items
        return [CatalogEntrySpec.of(one["spec"]) for one in listed if one["spec"]["catalog"] == catalog]

    async def entry(self, namespace: str, catalog: str, chart: str) -> CatalogEntrySpec:
        """Of one chart. Raises NotFound."""
        found = await self._entry(namespace, catalog, chart)
        if found is None:
            raise NotFound(f"there is no chart {chart} in catalogue {catalog}")
        return CatalogEntrySpec.of(found["spec"])

    async def archive(self, namespace: str, version: Version) -> bytes:
        """Raises NotFound."""
        return await self._archives.load(version.archive, namespace)

    async def push(self, catalog: Obj, chart: Chart) -> None:
        """Raises AlreadyExists, Forbidden, BadRequest, StatusError."""
        spec = _hosted(catalog)
        if spec.charts and chart.facts.name not in spec.charts:
            raise Forbidden(f"catalogue {name_of(catalog)} has only these charts: {', '.join(spec.charts)}")
        for _ in range(_TRIES):
            entry = await self._entry(namespace_of(catalog), name_of(catalog), chart.facts.name)
            try:
                await self._add(catalog, entry, chart, overwrite=spec.overwrite)
            except Conflict:
                continue
            return
        raise Conflict(f"others push {chart.facts.name} at the same time: try again")

    async def remove(self, catalog: Obj, chart: str, version: str) -> None:
        """Raises NotFound, Forbidden, StatusError."""
        _hosted(catalog)
        for _ in range(_TRIES):
            entry = await self._entry(namespace_of(catalog), name_of(catalog), chart)
            there = CatalogEntrySpec.of(entry["spec"]).versions if entry is not None else []
            gone = next((one for one in there if one.version == version), None)
            if entry is None or gone is None:
                raise NotFound(f"there is no {chart} {version} in catalogue {name_of(catalog)}")
            await self._archives.drop(gone.archive, entry)
            try:
                await self._keep(entry, [one for one in there if one.version != version])
            except Conflict:
                continue
            return
        raise Conflict(f"others write {chart} at the same time: try again")

    async def _add(self, catalog: Obj, entry: Obj | None, chart: Chart, *, overwrite: bool) -> None:
        old = CatalogEntrySpec.of(entry["spec"]).versions if entry is not None else []
        before = next((one for one in old if one.version == chart.facts.version), None)
        if before is not None and not overwrite:
            raise AlreadyExists(f"{chart.facts.name} {chart.facts.version} is there already: versions do not change")
        if len(old) >= _MOST_VERSIONS and before is None:
            raise BadRequest(f"{chart.facts.name} has {len(old)} versions: remove some (skerry charts rm)")
        await self._archives.keep(chart, catalog)
        new = Version(
            version=chart.facts.version,
            app_version=chart.facts.app_version,
            kube_version=chart.facts.kube_version,
            created=self._clock.now(),
            digest=chart.digest,
            url="",
            archive=name_for(chart.digest),
        )
        versions = {one.version: one for one in old} | {new.version: new}
        ordered = newest_first(versions)
        listed = [versions[one] for one in ordered]
        if entry is None:
            spec = describe(name_of(catalog), chart.facts, listed)
            try:
                await self._client.create(CATALOG_ENTRIES, entry_object(catalog, spec.dump()), namespace_of(catalog))
            except AlreadyExists:
                raise Conflict("somebody was faster") from None
            return
        is_leading = leading_version(ordered) == new.version
        spec = describe(name_of(catalog), chart.facts, listed) if is_leading else _with(entry, listed)
        await self._client.update(CATALOG_ENTRIES, {**entry, "spec": spec.dump()})
        if before is not None and before.archive != new.archive:
            await self._archives.drop(before.archive, entry)

    async def _keep(self, entry: Obj, versions: Sequence[Version]) -> None:
        if versions:
            await self._client.update(CATALOG_ENTRIES, {**entry, "spec": _with(entry, versions).dump()})
        else:
            await self._client.delete(CATALOG_ENTRIES, name_of(entry), namespace_of(entry))

    async def _entry(self, namespace: str, catalog: str, chart: str) -> Obj | None:
        try:
            return await self._client.get(CATALOG_ENTRIES, entry_name(catalog, chart), namespace)
        except NotFound:
            return None


def _hosted(catalog: Obj) -> CatalogSpec:
    """Raises Forbidden: nothing is pushed to what others keep."""
    spec = CatalogSpec.of(catalog["spec"])
    if spec.type != "Hosted":
        raise Forbidden(
            f"catalogue {name_of(catalog)} is of type {spec.type}: charts are pushed to those of type Hosted"
        )
    return spec


def _with(entry: Obj, versions: Sequence[Version]) -> CatalogEntrySpec:
    return CatalogEntrySpec.of(entry["spec"]).model_copy(update={"versions": list(versions)})
