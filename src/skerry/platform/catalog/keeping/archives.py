"""Archives as ConfigMaps: made once, never changed, owned by the entries that refer to them.

When the last of these entries goes, the cluster takes the archive away. What was pushed is its catalogue's.
"""

from __future__ import annotations

import base64
from contextlib import suppress

from skerry.kube.client import Client
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.kube.resources import CONFIG_MAPS
from skerry.platform.catalog.charts.archive import Chart
from skerry.platform.catalog.keeping.indexes import BY_ARCHIVE, archives_of
from skerry.platform.catalog.types import ARCHIVE_KEY, CHART_LABEL

_DIGITS = 40


def name_for(digest: str) -> str:
    """Of the ConfigMap."""
    return f"chart-{digest[:_DIGITS]}"


class Archives:
    """Those in the cluster."""

    def __init__(self, client: Client, entries: Informer) -> None:
        self._client, self._entries = client, entries
        entries.add_index(BY_ARCHIVE, archives_of)

    async def keep(self, chart: Chart, owner: Obj) -> str:
        """Beside its entry or catalogue; the name. Harmless twice. Raises StatusError."""
        wanted = _config_map(chart, owner)
        try:
            await self._client.create(CONFIG_MAPS, wanted, namespace_of(owner))
        except AlreadyExists:
            await self._share(wanted, _reference(owner))
        return name_of(wanted)

    async def drop(self, name: str, entry: Obj) -> None:
        """Unless another entry than this refers to it. Harmless twice. Raises StatusError."""
        others = self._entries.by_index(BY_ARCHIVE, f"{namespace_of(entry)}/{name}")
        if all(name_of(one) == name_of(entry) for one in others):
            with suppress(NotFound):
                await self._client.delete(CONFIG_MAPS, name, namespace_of(entry))

    async def load(self, name: str, namespace: str) -> bytes:
        """Raises NotFound, StatusError."""
        found = await self._client.get(CONFIG_MAPS, name, namespace)
        return base64.b64decode((found.get("binaryData") or {}).get(ARCHIVE_KEY) or "")

    async def _share(self, wanted: Obj, owner: Obj) -> None:
        """It is there. Somebody who may write ConfigMaps here may have put other bytes under its name: then ours
        take their place."""
        name, namespace = name_of(wanted), namespace_of(wanted)
        there = await self._client.get(CONFIG_MAPS, name, namespace)
        if any(there.get(part) != wanted[part] for part in ("data", "binaryData")):
            await self._client.delete(CONFIG_MAPS, name, namespace)
            await self._client.create(CONFIG_MAPS, wanted, namespace)
            return
        metadata = there["metadata"]
        owners = metadata.get("ownerReferences") or []
        if all(one.get("uid") != owner["uid"] for one in owners):
            await self._client.update(
                CONFIG_MAPS, {**there, "metadata": {**metadata, "ownerReferences": [*owners, owner]}}
            )


def _config_map(chart: Chart, owner: Obj) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name_for(chart.digest),
            "namespace": namespace_of(owner),
            "labels": {CHART_LABEL: chart.facts.name},
            "annotations": {"skerry.dev/version": chart.facts.version, "skerry.dev/sha256": chart.digest},
            "ownerReferences": [_reference(owner)],
        },
        "immutable": True,
        "data": dict(chart.files),
        "binaryData": {ARCHIVE_KEY: base64.b64encode(chart.archive).decode()},
    }


def _reference(owner: Obj) -> Obj:
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid_of(owner),
    }
