"""OpenAPI 2 with what extension API servers have: their paths and definitions, beside ours.

Their documents are fetched when somebody asks for ours, and kept until something of what is known about the servers
changes. Version 3 needs none of this: there every group version has a document of its own. `part_of` and `joined` are
pure. Source: `kube-aggregator/pkg/controllers/openapi/aggregator`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from skerry.engine.api.aggregation.endpoints import Verdict
from skerry.engine.api.aggregation.remote import GroupVersion, RemoteApi
from skerry.engine.api.aggregation.servers import ExtensionServers, Unreachable
from skerry.engine.api.aggregation.table import ApiServiceTable
from skerry.kube.objects import Obj

log = logging.getLogger(__name__)

_REFERENCE = "#/definitions/"
_GVK = "x-kubernetes-group-version-kind"


class Part(NamedTuple):
    """What one server adds."""

    paths: Obj
    definitions: Obj


class ExtensionSchemas:
    """The parts of all servers that answer."""

    def __init__(self, table: ApiServiceTable, servers: ExtensionServers) -> None:
        self._table = table
        self._servers = servers
        self._kept: tuple[int, list[Part]] = (-1, [])

    async def parts(self) -> list[Part]:
        """A server that has no such document adds nothing."""
        generation = self._table.generation
        if self._kept[0] != generation:
            self._kept = (generation, [part async for part in self._fetched()])
        return self._kept[1]

    async def _fetched(self) -> AsyncIterator[Part]:
        by_server: dict[tuple[str, str, int], list[RemoteApi]] = {}
        for remote in self._table.remotes.values():
            if remote.available:
                by_server.setdefault((remote.namespace, remote.service, remote.port), []).append(remote)
        for remotes in by_server.values():
            document = await self._document(remotes[0])
            if document is not None:
                yield part_of(document, [(one.group, one.version) for one in remotes])

    async def _document(self, remote: RemoteApi) -> Obj | None:
        found = self._servers.endpoints(remote)
        if isinstance(found, Verdict):
            return None
        try:
            document = orjson.loads(await self._servers.ask(remote, found[0], "/openapi/v2"))
        except (Unreachable, ValueError) as error:
            log.debug("%s: no OpenAPI 2 document: %s", remote.name, error)
            return None
        return document if isinstance(document, dict) else None


def part_of(document: Obj, places: Sequence[GroupVersion]) -> Part:
    """What a document says of some group versions, and the definitions that takes."""
    roots = tuple(f"/apis/{group}/{version}" for group, version in places)
    paths = {
        path: item
        for path, item in (document.get("paths") or {}).items()
        if any(path == root or path.startswith(f"{root}/") for root in roots)
    }
    known: Obj = document.get("definitions") or {}
    wanted = [*_references(paths), *(name for name, schema in known.items() if _is_of(schema, places))]
    found: Obj = {}
    while wanted:
        name = wanted.pop()
        if name in known and name not in found:
            found[name] = known[name]
            wanted += _references(known[name])
    return Part(paths, found)


def joined(paths: Obj, definitions: Obj, parts: Iterable[Part]) -> Part:
    """Paths and definitions with those of all parts. What stands here already stays: types that all servers share."""
    paths, definitions = dict(paths), dict(definitions)
    for part in parts:
        for name, schema in part.definitions.items():
            definitions.setdefault(name, schema)
        for path, item in part.paths.items():
            paths.setdefault(path, item)
    return Part(paths, definitions)


def _is_of(schema: Any, places: Sequence[GroupVersion]) -> bool:
    kinds = schema.get(_GVK) if isinstance(schema, dict) else None
    return any((one.get("group"), one.get("version")) in places for one in kinds or ())


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix(_REFERENCE)
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
