"""One definition while it is served: its kinds, and how its objects get from the stored version to another.

Invariants: kinds are made anew when the definition's spec, accepted names or deletion change, never otherwise; what was
written since, in the storage version, is shown as it stands; anything older is pruned and defaulted by today's schema.
Source: `customresource_handler.go` of the apiextensions server. Neighbours: `conversion_webhook`, `controller`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import orjson

from skerry.engine.api.custom.conversion_webhook import convert_by_webhook
from skerry.engine.api.webhooks.client import WebhookClient
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.custom.definition import schema_in, served_versions, state_of, storage_version
from skerry.engine.schema.custom.kinds import Source, kinds_of
from skerry.engine.schema.custom.strategy import CustomStrategy
from skerry.engine.store.contract import Entry
from skerry.kube.objects import Obj

Convert: TypeAlias = Callable[[list[Obj], str], Awaitable[list[Obj]]]
"""Objects of other versions to an apiVersion. Raises InternalError (a webhook failed)."""


class Definition:
    """The kinds of one CustomResourceDefinition."""

    def __init__(self, entry: Entry, obj: Obj, webhooks: WebhookClient) -> None:
        self.state = state_of(obj)
        self.storage = storage_version(obj)
        self.since = entry.revision
        """The store's revision from which on objects were written by these kinds."""
        self._group: str = obj["spec"]["group"]
        self._convert = converter_of(obj, webhooks)
        self._entry = entry
        kinds = kinds_of(obj, Source(self._schema, self._conversion, self.since))
        self.kinds = {kind.resource.version: kind for kind in kinds}
        served = set(served_versions(obj))
        self.served = [kind for kind in kinds if kind.resource.version in served]

    @property
    def storage_kind(self) -> Kind:
        """The kind of the version that is stored."""
        return self.kinds[self.storage]

    def _schema(self, version: str) -> Obj:
        return schema_in(orjson.loads(self._entry.value), version)

    def _conversion(self, version: str, strategy: CustomStrategy) -> VersionConversion:
        return VersionConversion(self, version, strategy)

    async def convert(self, objs: list[Obj], version: str) -> list[Obj]:
        """Objects of any version as those of `version`, in order; those of it already are left alone."""
        wanted = f"{self._group}/{version}"
        others = [obj for obj in objs if obj.get("apiVersion") != wanted]
        if not others:
            return objs
        converted = iter(await self._convert(others, wanted))
        return [obj if obj.get("apiVersion") == wanted else next(converted) for obj in objs]


class VersionConversion:
    """The `Conversion` of one version's kind."""

    def __init__(self, definition: Definition, version: str, strategy: CustomStrategy) -> None:
        self._definition = definition
        self._version = version
        self._strategy = strategy

    @property
    def stores(self) -> bool:
        """Whether this version is the one that is stored."""
        return self._definition.storage == self._version

    def is_current(self, revision: int) -> bool:
        """Whether an object written then was written in this version, by this schema."""
        return revision > self._definition.since and self._definition.storage == self._version

    async def to_served(self, objs: list[Obj]) -> list[Obj]:
        """Converted, pruned and defaulted by this version's schema."""
        converted = await self._definition.convert(objs, self._version)
        for obj in converted:
            self._strategy.prune(obj)
            self._strategy.default(obj)
        return converted

    async def to_stored(self, objs: list[Obj]) -> list[Obj]:
        """Converted to the storage version and pruned by its schema."""
        if self.stores:
            return objs
        converted = await self._definition.convert(objs, self._definition.storage)
        if (prune := self._definition.storage_kind.prune) is not None:
            for obj in converted:
                prune(obj)
        return converted


def converter_of(obj: Obj, webhooks: WebhookClient) -> Convert:
    """How a definition's objects change version."""
    conversion = obj["spec"].get("conversion") or {}
    if conversion.get("strategy") == "Webhook":
        return lambda objs, wanted: convert_by_webhook(webhooks, conversion["webhook"], objs, wanted)
    return _relabel


async def _relabel(objs: list[Obj], wanted: str) -> list[Obj]:
    """Strategy None: nothing but the apiVersion differs."""
    for obj in objs:
        obj["apiVersion"] = wanted
    return objs
